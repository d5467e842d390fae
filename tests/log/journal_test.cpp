#include "log/journal.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

constexpr std::uint64_t salt = 7;

/// A journal on a simulated disk, and what another process finds of it.
struct Disk {
  SimExecutor executor;
  file::FakeFileSystem files{executor, 1};
  Layout layout{"/data"};

  Disk() {
    REQUIRE(files.make_directories(layout.journal_directory()).has_value());
    for (const char* path : {"/", "/data"}) REQUIRE(files.sync_directory(path).has_value());
  }

  /// Writes `commits` frames, a page each. Before it writes frame i it knows that `synced(i)` is
  /// durable.
  template <class Synced>
  void write(std::uint64_t commits, const Synced& synced) {
    Journal journal(files, layout, journal_bytes_min);
    REQUIRE(journal.open(salt, 0).has_value());
    for (std::uint64_t i = 1; i <= commits; ++i) {
      journal.set_synced(synced(i));
      FrameBuilder frame;
      frame.add(RemovedEntry{});
      REQUIRE(journal.write(frame).has_value());
    }
    REQUIRE(journal.file()->sync().has_value());
    REQUIRE(files.sync_directory(layout.journal_directory()).has_value());
  }
  void spoil(std::uint64_t frame) {
    files.flip_bit(layout.journal(0), (frame - 1) * journal_alignment, 0);
  }
  /// The sequences found, and what of the durable ones cannot be read.
  std::string scan() {
    Result<JournalScan> scan = scan_journal(files, layout, salt, 0);
    REQUIRE(scan.has_value());
    std::string text;
    for (const Frame& frame : scan->frames) text += std::to_string(frame.sequence) + " ";
    for (const JournalScan::Hole& hole : scan->holes) text += "(" + hole.cause + ") ";
    return text;
  }
};

TEST_CASE("frames that cannot be read are missed where they were durable, and only there") {
  struct Row {
    std::vector<std::uint64_t> spoilt;
    std::uint64_t synced;  // known to be durable when frame 4 was written
    std::string found;
  };
  const std::vector<Row> rows{
      {{}, 3, "1 2 3 4 "},
      {{4}, 3, "1 2 3 "},
      {{3}, 2, "1 2 "},
      {{2}, 3, "1 3 4 (commits 2 to 2 cannot be read) "},
      {{2, 3}, 3, "1 4 (commits 2 to 3 cannot be read) "},
      // The power was lost before 3 was durable; 2 was durable and is missing.
      {{2, 3}, 2, "1 (commits 2 to 2 cannot be read) "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.found);
    Disk disk;
    disk.write(4, [&](std::uint64_t i) { return i < 4 ? 0 : row.synced; });
    disk.files.power_loss();
    for (std::uint64_t frame : row.spoilt) disk.spoil(frame);
    CHECK(disk.scan() == row.found);
  }
}

TEST_CASE("a file grows by more than a small frame, and the zeros behind the last one end it") {
  Disk disk;
  disk.write(2, [](std::uint64_t) { return 0; });
  Result<file::FilePtr> file = disk.files.open(disk.layout.journal(0), file::OpenMode::read);
  REQUIRE(file.has_value());
  CHECK((*file)->size() == journal_bytes_min);
  CHECK(disk.files.counts().writes == 3);
  CHECK(disk.scan() == "1 2 ");
  disk.files.power_loss();
  CHECK(disk.scan() == "1 2 ");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
