#include "log/backup.h"

#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);
const TopicPartition p2 = partition(2);

Result<void> nothing_more() {
  return {};
}

BackupPlan plan(Result<BackupPlan> planned) {
  REQUIRE_MESSAGE(planned.has_value(), (planned ? "" : planned.error().what));
  return std::move(*planned);
}

Result<void> copy(Machine& m, const BackupPlan& plan,
                  const BeforeName& before_name = nothing_more) {
  return write_backup(m.files, plan, "/data", "/copy", nullptr, before_name);
}

/// Goes on with the copy in place of the original.
void open_copy(Machine& m) {
  m.kill();
  m.options.directory = "/copy";
  m.open();
  CHECK(m.store->findings().empty());
}

/// Everything in the copy is sound, and it has no journal to be applied.
void check_sound(Machine& m) {
  Result<CheckReport> report = check_directory(m.files, "/copy", nullptr);
  REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().what));
  CHECK(report->findings.empty());
}

TEST_CASE("a backup of a running store has what was acknowledged before, and nothing after") {
  Machine m;
  m.log_options.segment_bytes = 220;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  REQUIRE(m.append({"other"}, p2).has_value());
  m.executor.run_until_idle();
  Machine::Answer unanswered = m.start_append({"unanswered"}, p2);
  BackupPoint point = m.store->begin_backup();
  BackupPlan planned = plan(plan_backup_of_running(m.files, "/data", point.checkpoint));
  for (int i = 10; i < 20; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  REQUIRE(copy(m, planned).has_value());
  check_sound(m);
  open_copy(m);
  CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
  CHECK(m.read(p2) == "other");
  CHECK(m.append({"goes on"}, p2).has_value());
  CHECK(m.read(p2) == "other goes on");
}

TEST_CASE("while a backup runs no file is removed, and all of them after it") {
  Machine m;
  m.log_options.segment_bytes = 220;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  REQUIRE(m.append({"other"}, p2).has_value());
  m.executor.run_until_idle();
  BackupPoint point = m.store->begin_backup();
  m.log(p1).advance_start(Offset{9}, [](const Result<void>& moved) { CHECK(moved.has_value()); });
  m.store->remove_log(p2);
  m.executor.run_until_idle();
  CHECK(m.log(p1).start_offset() == Offset{9});
  BackupPlan planned = plan(plan_backup_of_running(m.files, "/data", point.checkpoint));
  REQUIRE(copy(m, planned).has_value());
  CHECK(m.files.exists(m.segment_path(0, p1)).value());
  SUBCASE("when the hold ends") {
    point.hold.reset();
  }
  SUBCASE("when the store closes") {
    m.close();
    m.open();
  }
  m.executor.run_until_idle();
  CHECK(!m.files.exists(m.segment_path(0, p1)).value());
  CHECK(!m.files.exists(m.segment_path(0, p2)).value());
  open_copy(m);
  CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
  CHECK(m.read(p2) == "other");
}

TEST_CASE("a checkpoint of another directory is refused") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}).has_value());
  m.close();
  m.options.directory = "/other";
  m.open();
  REQUIRE(m.append({"b"}).has_value());
  Bytes elsewhere = m.store->begin_backup().checkpoint;
  Result<BackupPlan> planned = plan_backup_of_running(m.files, "/data", elsewhere);
  REQUIRE(!planned);
  CHECK(planned.error().code == Errc::invalid_argument);
}

TEST_CASE("a directory that nobody holds is copied as it is") {
  Machine m;
  m.log_options.segment_bytes = 220;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  SUBCASE("after a clean stop without the journal") {
    m.close();
    REQUIRE(copy(m, plan(plan_backup_of_stopped(m.files, "/data"))).has_value());
    CHECK(!m.files.exists("/copy/journal/0").value());
    check_sound(m);
  }
  SUBCASE("after a kill with it") {
    m.kill();
    REQUIRE(copy(m, plan(plan_backup_of_stopped(m.files, "/data"))).has_value());
    CHECK(m.files.exists("/copy/journal/0").value());
    check_sound(m);
  }
  open_copy(m);
  CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
}

TEST_CASE("a backup that fails leaves nothing, and one that is killed no whole directory") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}).has_value());
  BackupPoint point = m.store->begin_backup();
  BackupPlan planned = plan(plan_backup_of_running(m.files, "/data", point.checkpoint));
  Result<void> refused =
      copy(m, planned, [] { return Result<void>(fail(Errc::cancelled, "the server went away")); });
  CHECK(refused.error().code == Errc::cancelled);
  CHECK(!m.files.exists("/copy").value());
  CHECK(!m.files.exists("/copy.unfinished").value());

  REQUIRE(m.files.make_directories("/copy.unfinished/partitions").has_value());
  REQUIRE(m.files.open("/copy.unfinished/left", file::OpenMode::create).has_value());
  REQUIRE(copy(m, planned).has_value());
  CHECK(!m.files.exists("/copy/left").value());
  Result<void> again = copy(m, planned);
  REQUIRE(!again);
  CHECK(again.error().code == Errc::already_exists);
}

TEST_CASE("a power cut right after a backup leaves it whole") {
  Machine m;
  m.open();
  for (int i = 0; i < 5; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  BackupPoint point = m.store->begin_backup();
  REQUIRE(copy(m, plan(plan_backup_of_running(m.files, "/data", point.checkpoint))).has_value());
  m.power_loss();
  m.options.directory = "/copy";
  m.open();
  CHECK(m.store->findings().empty());
  CHECK(m.read(p1) == "0 1 2 3 4");
}

TEST_CASE("known damage is copied as damage") {
  Machine m;
  m.open();
  for (int i = 0; i < 5; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  m.close();
  Result<file::FilePtr> file = m.files.open(m.segment_path(0), file::OpenMode::read_write);
  REQUIRE(file.has_value());
  Bytes flipped(1, std::byte{0xff});
  BytesView piece(flipped);
  REQUIRE((*file)->write_at(100, std::span(&piece, 1)).has_value());
  m.open();
  std::string seen = m.read(p1);
  CHECK(seen.find("!corrupt_message") != std::string::npos);
  m.executor.run_until_idle();
  BackupPoint point = m.store->begin_backup();
  BackupPlan planned = plan(plan_backup_of_running(m.files, "/data", point.checkpoint));
  CHECK(planned.damaged_ranges == 1);
  REQUIRE(copy(m, planned).has_value());
  m.kill();
  m.options.directory = "/copy";
  m.open();
  CHECK(m.read(p1) == seen);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
