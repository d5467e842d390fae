// Judges transactions, lines of JSON on its input, over a log of its own: pipeline DIRECTORY
//
//   g++ -std=c++20 pipeline.cpp $(pkg-config --cflags --libs leat-stream) -o pipeline
#include <cstdio>
#include <iostream>
#include <string>

#include "fraud_pipeline.h"

using namespace leat::flow;

int main(int, char** arguments) {
  try {
    Runtime runtime({.directory = arguments[1]});
    runtime.create_topic("transactions", 1);
    for (std::string line; std::getline(std::cin, line);) {
      runtime.send({.topic = "transactions", .value = line});
    }
    Pipeline pipeline("fraud");
    fraud::add_detector(pipeline).to_console();
    runtime.run(pipeline, {.at_end = AtEnd::flush}).wait();
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
