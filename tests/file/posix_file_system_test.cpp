#include <fcntl.h>

#include <array>
#include <atomic>
#include <string>

#include <doctest/doctest.h>

#include "base/thread_executor.h"
#include "file/posix_file_system.h"

TEST_SUITE_BEGIN("file");

using namespace leat;
using namespace leat::file;

TEST_CASE("a full device is no_space and says where") {
  PosixFileSystem files(1);
  auto full = files.open("/dev/full", OpenMode::read_write);
  if (!full) return;  // Not on every system.
  std::array parts{as_bytes("text")};
  auto written = (*full)->write_at(0, parts);
  REQUIRE(!written);
  CHECK(written.error().code == Errc::no_space);
  CHECK(written.error().what == "cannot write /dev/full: No space left on device");
}

TEST_CASE("a descriptor is lent and is not inherited by other programs") {
  PosixFileSystem files(1);
  auto file = files.open("/dev/null", OpenMode::read);
  REQUIRE(file);
  int fd = (*file)->native_handle();
  REQUIRE(fd >= 0);
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("jobs run side by side, and all of them before the file system is gone") {
  ThreadExecutor executor("test");
  std::atomic<int> waiting{0};
  std::atomic<int> finished{0};
  {
    PosixFileSystem files(3);
    for (int i = 0; i < 3; ++i) {
      files.offload(
          [&] {
            // Ends only when all three are here at once.
            int here = ++waiting;
            waiting.notify_all();
            for (; here < 3; here = waiting) waiting.wait(here);
            ++finished;
          },
          executor, [] {});
    }
    for (int i = 0; i < 20; ++i) files.offload([&] { ++finished; }, executor, [] {});
  }
  CHECK(finished == 23);
}

TEST_SUITE_END();
