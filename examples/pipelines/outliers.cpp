// Finds outliers among readings, lines of JSON on its input, over a log of its own: outliers
// DIRECTORY
//
//   g++ -std=c++20 outliers.cpp $(pkg-config --cflags --libs leat-stream) -o outliers
#include <cstdio>
#include <iostream>
#include <string>

#include "outliers.h"

using namespace leat::flow;

int main(int argc, char** arguments) {
  if (argc != 2) {
    std::fputs("usage: outliers DIRECTORY\n", stderr);
    return 2;
  }
  try {
    Runtime runtime({.directory = arguments[1]});
    runtime.create_topic("readings", 1);
    for (std::string line; std::getline(std::cin, line);) {
      runtime.send({.topic = "readings", .value = line});
    }
    Pipeline pipeline("outliers");
    outliers::add_judge(pipeline).to_console();
    runtime.run(pipeline, {.at_end = AtEnd::flush}).wait();
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
