// Servers and clients in processes of their own, each on a core, and what they took of it.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"

namespace leat::bench {

using Steady = std::chrono::steady_clock;

[[noreturn]] inline void give_up(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

inline double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

inline double cpu_seconds(clockid_t clock) {
  timespec now{};
  ASSERT(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  ASSERT(::sched_setaffinity(0, sizeof set, &set) == 0);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Places {
  std::filesystem::path leat;
  std::filesystem::path data;
  int client_core = 0;
  int server_core = 0;
};

/// The program that LEAT names, or `leat` of the folder above this program; data goes beside it.
inline Places find_places(const std::string& data_name) {
  auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
  const char* named = std::getenv("LEAT");
  Places places;
  places.leat = named != nullptr ? std::filesystem::path(named) : folder / "leat";
  places.data = folder / data_name;
  if (!std::filesystem::exists(places.leat)) {
    give_up(fmt::format("there is no {}; build it, or name it by LEAT", places.leat.string()));
  }
  cpu_set_t allowed;
  ASSERT(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  places.client_core = cores.front();
  places.server_core = cores.back();
  if (cores.size() < 2) fmt::print("client and server share the one core there is\n");
  return places;
}

/// A process on a core, which dies with this one, and its standard output.
struct Child {
  Child(std::vector<std::string> command, int core, const std::string& log = {}) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
    pid = ::fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      pin(core);
      ::dup2(ends[1], STDOUT_FILENO);
      if (!log.empty())
        ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output = ::fdopen(ends[0], "r");
  }

  pid_t pid = -1;
  std::FILE* output = nullptr;
};

/// A server on its core, killed and forgotten at the end. It says `kafka HOST:PORT` and `ready` on
/// its standard output.
class ServerProcess {
 public:
  ServerProcess(const std::vector<std::string>& command, const std::filesystem::path& data,
                int core)
      : data_(data) {
    std::filesystem::remove_all(data_);
    std::filesystem::create_directories(data_);
    std::string log = data_ / "stderr";
    Child child(command, core, log);
    pid_ = child.pid;
    std::array<char, 256> line{};
    bool is_ready = false;
    while (!is_ready && std::fgets(line.data(), line.size(), child.output) != nullptr) {
      std::string text = line.data();
      text.resize(std::strcspn(line.data(), "\n"));
      if (text.starts_with("kafka ")) address_ = text.substr(6);
      is_ready = text == "ready";
    }
    std::fclose(child.output);
    if (!is_ready) {
      std::cerr << std::ifstream(log).rdbuf();
      give_up("the server did not start: " + command[0]);
    }
    ASSERT(::clock_getcpuclockid(pid_, &clock_) == 0);
  }
  ~ServerProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(data_, ignored);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }
  double cpu() const { return cpu_seconds(clock_); }

 private:
  std::filesystem::path data_;
  std::string address_;
  pid_t pid_ = -1;
  clockid_t clock_{};
};

inline std::vector<std::string> serve_command(const Places& places, const char* durability) {
  return {places.leat,   "serve",  "--data",      places.data / "log", "--listen",
          "127.0.0.1:0", "--http", "127.0.0.1:0", "--durability",      durability};
}

}  // namespace leat::bench
