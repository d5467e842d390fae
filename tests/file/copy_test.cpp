#include "file/copy.h"

#include <cstdlib>
#include <string>

#include <unistd.h>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "file/posix_file_system.h"

namespace leat::file {
namespace {

TEST_SUITE_BEGIN("file");

/// Copies `bytes` of a file that holds `text`; the copy's content, or the error's name.
std::string copy(FileSystem& files, const std::string& directory, const std::string& text,
                 std::uint64_t bytes, const CopyProgress& progress = nullptr) {
  REQUIRE(replace_file(files, directory + "/from", as_bytes(text)));
  auto from = files.open(directory + "/from", OpenMode::read);
  auto to = files.open(directory + "/to", OpenMode::create);
  REQUIRE(from);
  REQUIRE(to);
  REQUIRE((*to)->truncate(0));
  Result<std::uint64_t> copied = copy_bytes(**from, **to, bytes, progress);
  if (!copied) return std::string(name(copied.error().code));
  auto content = read_file(files, directory + "/to");
  REQUIRE(content);
  CHECK(content->size() == *copied);
  return std::string(as_text(*content));
}

void check_copies(FileSystem& files, const std::string& directory) {
  CHECK(copy(files, directory, "abcdef", 6) == "abcdef");
  CHECK(copy(files, directory, "abcdef", 4) == "abcd");
  CHECK(copy(files, directory, "abcdef", 9) == "abcdef");
  CHECK(copy(files, directory, "", 3) == "");
  std::string large(std::size_t{40} << 20, 'x');
  large[std::size_t{33} << 20] = 'y';
  std::uint64_t told = 0;
  bool is_same = copy(files, directory, large, large.size(), [&](std::uint64_t bytes) {
                   told += bytes;
                   return true;
                 }) == large;
  CHECK(is_same);
  CHECK(told == large.size());
  CHECK(copy(files, directory, "abc", 3, [](std::uint64_t) { return false; }) == "cancelled");
}

TEST_CASE("a copy has the bytes asked for, or those that there are") {
  SUBCASE("in memory") {
    SimExecutor executor;
    FakeFileSystem files(executor, 1);
    REQUIRE(files.make_directories("/d"));
    check_copies(files, "/d");
  }
  SUBCASE("on disk, by the kernel") {
    char directory[] = "/tmp/leat-copy-XXXXXX";
    REQUIRE(::mkdtemp(directory) != nullptr);
    PosixFileSystem files;
    check_copies(files, directory);
    REQUIRE(files.remove_all(directory));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::file
