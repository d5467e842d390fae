// What including a public header costs a program's build, in seconds of the compiler's CPU time.
//
//   bench-headers [RUNS]
//
// Each header is compiled alone, as C++20 without optimisation, by $CXX or c++: the least of RUNS
// (default 5). A header that is made for Asio is also measured behind <boost/asio/awaitable.hpp>,
// which who uses it has anyway: what counts is what it adds. Started in the repository's root.
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;

double children_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// CPU seconds for a file that has those includes; nothing if it does not compile.
std::optional<double> compile(const std::vector<std::string>& includes, int runs) {
  fs::path source = fs::temp_directory_path() / fmt::format("leat-headers-{}.cpp", std::rand());
  std::ofstream out(source);
  for (const std::string& include : includes) out << "#include <" << include << ">\n";
  out.close();
  const char* compiler = std::getenv("CXX");
  std::string command = fmt::format("{} -std=c++20 -Iinclude -c {} -o /dev/null",
                                    compiler ? compiler : "c++", source.string());
  std::optional<double> least;
  for (int run = 0; run < runs; ++run) {
    double before = children_seconds();
    if (std::system(command.c_str()) != 0) {
      least.reset();
      break;
    }
    double took = children_seconds() - before;
    least = std::min(least.value_or(took), took);
  }
  fs::remove(source);
  return least;
}

bool uses_asio(const fs::path& header) {
  std::ifstream in(header);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return text.find("<boost/asio") != std::string::npos ||
         text.find("\"leat/completion.h\"") != std::string::npos || header.filename() == "client.h";
}

}  // namespace

int main(int count, char** arguments) {
  int runs = count > 1 ? std::max(1, std::atoi(arguments[1])) : 5;
  const std::string asio = "boost/asio/awaitable.hpp";
  // Of these types is what programs give and get: no header of ours can cost less.
  const std::vector<std::string> needed{"chrono", "optional", "span",
                                        "string", "vector",   "system_error"};
  auto baseline = compile({asio}, runs);
  auto floor = compile(needed, runs);
  auto nothing = compile({}, runs);
  if (!baseline || !nothing || !floor || !fs::exists("include/leat")) {
    fmt::print(stderr, "start it in the repository's root, with a compiler and Boost there\n");
    return 1;
  }
  fmt::print("{:<28} {:>8} {:>10} {:>8}\n", "", "alone", "adds to", "ratio");
  fmt::print("{:<28} {:>6.2f} s\n{:<28} {:>6.2f} s\n", "(an empty file)", *nothing, asio,
             *baseline);
  fmt::print("{:<28} {:>6.2f} s   {}\n", "(what they need of std)", *floor,
             fmt::join(needed, ", "));
  std::vector<fs::path> headers;
  for (const auto& entry : fs::directory_iterator("include/leat")) headers.push_back(entry.path());
  std::sort(headers.begin(), headers.end());
  for (const fs::path& header : headers) {
    std::string name = "leat/" + header.filename().string();
    auto alone = compile({name}, runs);
    if (!alone) return 1;
    fmt::print("{:<28} {:>6.2f} s", name, *alone);
    if (uses_asio(header)) {
      auto behind = compile({asio, name}, runs);
      if (!behind) return 1;
      fmt::print(" {:>8.2f} s {:>8.2f}", *behind - *baseline, *behind / *baseline);
    }
    fmt::print("\n");
  }
}
