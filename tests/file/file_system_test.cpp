// What every file system must do, checked against both.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "base/sim_executor.h"
#include "base/thread_executor.h"
#include "file/fake_file_system.h"
#include "file/posix_file_system.h"

TEST_SUITE_BEGIN("file");

using namespace leat;
using namespace leat::file;

namespace {

struct OnPosix {
  OnPosix() { REQUIRE(::mkdtemp(root.data()) != nullptr); }
  ~OnPosix() { std::filesystem::remove_all(root); }
  void wait_for(std::atomic<bool>& done) { done.wait(false); }

  std::string root = std::filesystem::temp_directory_path().string() + "/leat-file-XXXXXX";
  ThreadExecutor executor{"test"};
  PosixFileSystem files{2};
};

struct OnFake {
  void wait_for(std::atomic<bool>& done) {
    executor.run_until_idle();
    REQUIRE(done);
  }

  SimExecutor executor;
  FakeFileSystem files{executor, 1};
  std::string root = "/data";
  Result<void> made = files.make_directories(root);
};

void write(File& file, std::uint64_t position, std::string_view text) {
  std::array parts{as_bytes(text)};
  auto written = file.write_at(position, parts);
  REQUIRE_MESSAGE(written, written.error().what);
}

std::string read(const File& file, std::uint64_t position, std::size_t bytes) {
  std::string text(bytes, '?');
  auto n = file.read_at(position, {reinterpret_cast<std::byte*>(text.data()), bytes});
  REQUIRE(n);
  return text.substr(0, *n);
}

FilePtr must_open(FileSystem& files, const std::string& path, OpenMode mode = OpenMode::create) {
  auto file = files.open(path, mode);
  REQUIRE_MESSAGE(file, file.error().what);
  return *file;
}

Errc error_of(const auto& result) {
  REQUIRE(!result);
  return result.error().code;
}

std::string names(FileSystem& files, const std::string& directory) {
  std::string all;
  auto entries = files.list(directory);
  REQUIRE(entries);
  for (const auto& entry : *entries) all += entry.name + (entry.is_directory ? "/ " : " ");
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("a file gives back what was written at each position", T, OnPosix, OnFake) {
  T on;
  FilePtr file = must_open(on.files, on.root + "/a");
  write(*file, 0, "hello world");
  write(*file, 6, "there");
  CHECK(read(*file, 0, 100) == "hello there");
  CHECK(read(*file, 9, 1) == "r");
  CHECK(read(*file, 11, 5).empty());
  CHECK(read(*file, 4000, 5).empty());
  write(*file, 10000, "far");
  CHECK(*file->size() == 10003);
  CHECK(read(*file, 9998, 9) == std::string("\0\0far", 5));
}

TEST_CASE_TEMPLATE("a gathered write is one run of bytes, however many its parts", T, OnPosix,
                   OnFake) {
  T on;
  FilePtr file = must_open(on.files, on.root + "/a");
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i % 9), 'x') + std::to_string(i));
  texts[5].clear();
  texts.back().clear();
  std::vector<BytesView> parts;
  for (const auto& text : texts) {
    parts.push_back(as_bytes(text));
    expected += text;
  }
  REQUIRE(file->write_at(7, parts));
  CHECK(read(*file, 7, expected.size() + 10) == expected);
  REQUIRE(file->write_at(0, {}));
}

TEST_CASE_TEMPLATE("truncation cuts, and what grows again is zeros", T, OnPosix, OnFake) {
  T on;
  FilePtr file = must_open(on.files, on.root + "/a");
  write(*file, 0, std::string(9000, 'x'));
  REQUIRE(file->truncate(5));
  CHECK(read(*file, 0, 100) == "xxxxx");
  REQUIRE(file->truncate(8));
  CHECK(read(*file, 0, 100) == std::string("xxxxx\0\0\0", 8));
  write(*file, 8999, "y");
  CHECK(read(*file, 8990, 100) == std::string("\0\0\0\0\0\0\0\0\0y", 10));
}

TEST_CASE_TEMPLATE("random writes and truncations leave what a plain string would hold", T, OnPosix,
                   OnFake) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    T on;
    Random random(seed);
    FilePtr file = must_open(on.files, on.root + "/a");
    std::string expected;
    for (int i = 0; i < 60; ++i) {
      std::size_t position = random.below(12000);
      if (random.one_in(4)) {
        expected.resize(position);
        REQUIRE(file->truncate(position));
      } else {
        std::string text(random.below(9000), static_cast<char>('a' + random.below(26)));
        expected.resize(std::max(expected.size(), text.empty() ? 0 : position + text.size()));
        expected.replace(position < expected.size() ? position : expected.size(), text.size(),
                         text);
        write(*file, position, text);
      }
      if (random.one_in(5)) REQUIRE(file->sync());
      REQUIRE(*file->size() == expected.size());
      REQUIRE(read(*file, 0, 40000) == expected);
    }
  }
}

TEST_CASE_TEMPLATE("a mode says what must be there", T, OnPosix, OnFake) {
  T on;
  std::string path = on.root + "/a";
  CHECK(error_of(on.files.open(path, OpenMode::read)) == Errc::not_found);
  CHECK(error_of(on.files.open(path, OpenMode::read_write)) == Errc::not_found);
  CHECK(error_of(on.files.open(on.root + "/none/a", OpenMode::create)) == Errc::not_found);
  write(*must_open(on.files, path, OpenMode::create_new), 0, "text");
  CHECK(error_of(on.files.open(path, OpenMode::create_new)) == Errc::already_exists);
  CHECK(read(*must_open(on.files, path, OpenMode::create), 0, 9) == "text");
  FilePtr read_only = must_open(on.files, path, OpenMode::read);
  std::array parts{as_bytes("x")};
  CHECK(error_of(read_only->write_at(0, parts)) == Errc::io_error);
  write(*must_open(on.files, path, OpenMode::read_write), 0, "T");
  CHECK(read(*read_only, 0, 9) == "Text");
  CHECK(error_of(on.files.open(path, OpenMode::create_new)) == Errc::already_exists);
  auto missing = on.files.open(on.root + "/none", OpenMode::read);
  CHECK(missing.error().what == "cannot open " + on.root + "/none: No such file or directory");
}

TEST_CASE_TEMPLATE("an open file stays readable without its name", T, OnPosix, OnFake) {
  T on;
  FilePtr file = must_open(on.files, on.root + "/a");
  write(*file, 0, "text");
  REQUIRE(on.files.remove(on.root + "/a"));
  CHECK(*on.files.exists(on.root + "/a") == false);
  CHECK(read(*file, 0, 9) == "text");
  CHECK(error_of(on.files.remove(on.root + "/a")) == Errc::not_found);
}

TEST_CASE_TEMPLATE("a rename replaces", T, OnPosix, OnFake) {
  T on;
  write(*must_open(on.files, on.root + "/a"), 0, "new");
  write(*must_open(on.files, on.root + "/b"), 0, "old");
  REQUIRE(on.files.rename(on.root + "/a", on.root + "/b"));
  CHECK(names(on.files, on.root) == "b ");
  CHECK(as_text(*read_file(on.files, on.root + "/b")) == "new");
  REQUIRE(on.files.make_directories(on.root + "/d"));
  REQUIRE(on.files.rename(on.root + "/b", on.root + "/d/c"));
  CHECK(names(on.files, on.root) == "d/ ");
  CHECK(names(on.files, on.root + "/d") == "c ");
  CHECK(error_of(on.files.rename(on.root + "/b", on.root + "/e")) == Errc::not_found);
}

TEST_CASE_TEMPLATE("directories are made with their parents, listed and removed with all in them",
                   T, OnPosix, OnFake) {
  T on;
  REQUIRE(on.files.make_directories(on.root + "/x/y/z"));
  REQUIRE(on.files.make_directories(on.root + "/x/y/z"));
  must_open(on.files, on.root + "/x/b");
  must_open(on.files, on.root + "/x/a");
  must_open(on.files, on.root + "/x/y/z/c");
  CHECK(names(on.files, on.root + "/x") == "a b y/ ");
  CHECK(error_of(on.files.list(on.root + "/none")) == Errc::not_found);
  CHECK(error_of(on.files.make_directories(on.root + "/x/a")) == Errc::io_error);
  CHECK(error_of(on.files.remove(on.root + "/x/y")) == Errc::io_error);
  REQUIRE(on.files.sync_directory(on.root + "/x"));
  CHECK(error_of(on.files.sync_directory(on.root + "/none")) == Errc::not_found);
  REQUIRE(on.files.remove_all(on.root + "/x"));
  CHECK(names(on.files, on.root).empty());
  REQUIRE(on.files.remove_all(on.root + "/x"));
}

TEST_CASE_TEMPLATE("a file is read and replaced whole", T, OnPosix, OnFake) {
  T on;
  std::string path = on.root + "/checkpoint";
  CHECK(error_of(read_file(on.files, path)) == Errc::not_found);
  write(*must_open(on.files, path + ".tmp"), 0, "left over by a crash");
  REQUIRE(replace_file(on.files, path, as_bytes("one")));
  REQUIRE(replace_file(on.files, path, as_bytes("second")));
  CHECK(as_text(*read_file(on.files, path)) == "second");
  CHECK(names(on.files, on.root) == "checkpoint ");
  REQUIRE(replace_file(on.files, path, {}));
  CHECK(read_file(on.files, path)->empty());
}

TEST_CASE_TEMPLATE("a lock names its holder to the next one, a stale file does not lock", T,
                   OnPosix, OnFake) {
  T on;
  write(*must_open(on.files, on.root + "/lock"), 0, "a long text that a dead process left here");
  auto lock = on.files.lock(on.root, "pid 7 at 127.0.0.1:9092");
  REQUIRE(lock);
  CHECK(as_text(*read_file(on.files, on.root + "/lock")) == "pid 7 at 127.0.0.1:9092");
  auto second = on.files.lock(on.root, "pid 8");
  CHECK(error_of(second) == Errc::locked);
  CHECK(second.error().what == on.root + " is held by pid 7 at 127.0.0.1:9092");
  lock->reset();
  CHECK(on.files.lock(on.root, "pid 9"));
  CHECK(error_of(on.files.lock(on.root + "/none", "pid 9")) == Errc::not_found);
}

TEST_CASE_TEMPLATE("a sync without blocking answers on the executor", T, OnPosix, OnFake) {
  T on;
  FilePtr file = must_open(on.files, on.root + "/a");
  write(*file, 0, "text");
  REQUIRE(file->sync());
  std::atomic<bool> done{false};
  file->async_sync(on.executor, [&](Result<void> synced) {
    CHECK(synced);
    done = true;
    done.notify_one();
  });
  file.reset();
  on.wait_for(done);
}

TEST_CASE_TEMPLATE("an offloaded job is done before its answer", T, OnPosix, OnFake) {
  T on;
  std::atomic<bool> done{false};
  std::atomic<int> order{0};
  on.files.offload([&] { order = 1; }, on.executor,
                   [&] {
                     CHECK(order == 1);
                     done = true;
                     done.notify_one();
                   });
  on.wait_for(done);
}

TEST_CASE_TEMPLATE("there is room, and a boot id that stays", T, OnPosix, OnFake) {
  T on;
  CHECK(*on.files.free_bytes(on.root) > 0);
  CHECK(!on.files.boot_id().empty());
  CHECK(on.files.boot_id() == on.files.boot_id());
}

TEST_CASE_TEMPLATE("many files are synced in one go, with an answer for each", On, OnPosix,
                   OnFake) {
  On on;
  for (std::size_t count : {std::size_t{0}, std::size_t{3}, std::size_t{40}}) {
    std::vector<FilePtr> files;
    for (std::size_t i = 0; i < count; ++i) {
      files.push_back(must_open(on.files, on.root + "/" + std::to_string(i)));
      write(*files.back(), 0, "text");
    }
    std::vector<Result<void>> results = on.files.sync_all(files);
    CHECK(results.size() == count);
    for (const Result<void>& result : results) CHECK(result.has_value());
  }
}

TEST_SUITE_END();
