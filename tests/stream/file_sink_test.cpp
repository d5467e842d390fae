// Rows as files: folders by value, commits that replace, crashes at every change to the disk.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "stream/chunk_of_rows.h"
#include "stream/file_sink.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using column::Value;

namespace {

/// A plan whose rows `day` date, `city` text, `n` bigint go to the folder /x/out.
struct FilePlan {
  explicit FilePlan(const std::string& sink) {
    auto parsed = plan::parse(fmt::format(
        R"({{"version": 1, "name": "p", "nodes": [
          {{"name": "in", "type": "source", "topic": "in", "columns": [
             {{"name": "day", "type": "date"}}, {{"name": "city", "type": "text"}},
             {{"name": "n", "type": "bigint"}}]}},
          {{"name": "out", "type": "sink", "input": "in", "files": "/x/out", {}}}]}})",
        sink));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
    plan = std::move(*parsed);
    bound = *plan::bind(plan);
  }
  plan::Plan plan;
  plan::BoundPlan bound;
};

const std::string by_city = R"("format": "json", "partition_by": ["city"])";
const std::string by_day_and_city =
    R"("format": "csv", "partition_by": ["day", "city"], "replace": ["day"])";

class Folder {
 public:
  explicit Folder(const std::string& sink = by_city, std::uint64_t seed = 1)
      : files(executor, seed), plan_(sink) {
    REQUIRE(files.make_directories("/x"));
    REQUIRE(files.sync_directory("/"));
  }

  Result<void> open(FileSink::Options options = {}) {
    sink_.reset();
    auto opened = FileSink::open(plan_.bound.nodes[1], files, "me", options);
    if (!opened) return fail(opened);
    sink_ = std::move(*opened);
    return {};
  }
  /// Rows (city, n) of one day.
  Result<void> write(const std::vector<std::pair<Value, std::int64_t>>& rows,
                     std::int64_t day = 19'782) {
    interpreter::Rows all;
    for (const auto& [city, n] : rows) {
      interpreter::Row row;
      row.values = {column::Date{day}, city, n};
      row.position = {0, 0, 0};
      all.push_back(row);
    }
    return sink_->write(chunk_of_rows(plan_.bound.nodes[1].schema, all));
  }
  Result<void> commit() { return sink_->commit(); }
  FileSink& sink() { return *sink_; }
  /// As version 2 of a pipeline, of whose epochs those up to `committed` are.
  Result<void> open_epochs(std::uint64_t committed, bool replaces = false) {
    FileSink::Options options;
    options.epochs.emplace();
    options.epochs->version = 2;
    options.epochs->replaces = replaces;
    options.epochs->committed = [committed](std::uint64_t epoch) { return epoch <= committed; };
    return open(options);
  }
  void crash(bool power) {
    sink_.reset();
    executor.drop_all();
    power ? files.power_loss() : files.kill();
  }
  /// What readers see, by path below the folder.
  std::map<std::string, std::string> content() {
    std::map<std::string, std::string> all;
    for (const auto& path : files.file_paths()) {
      if (!path.starts_with("/x/out/") || path.starts_with("/x/out/.leat/")) continue;
      all[path.substr(7)] = as_text(*file::read_file(files, path));
    }
    return all;
  }
  /// What is in .leat beside its lock.
  std::vector<std::string> left_over() {
    std::vector<std::string> names;
    auto entries = files.list("/x/out/.leat");
    REQUIRE(entries.has_value());
    for (const auto& entry : *entries) {
      if (entry.name != "lock") names.push_back(entry.name);
    }
    return names;
  }

  SimExecutor executor;
  file::FakeFileSystem files;

 private:
  FilePlan plan_;
  std::unique_ptr<FileSink> sink_;
};

using Content = std::map<std::string, std::string>;
const Value oslo = std::string("Oslo");
const Value bonn = std::string("Bonn");
const Value rome = std::string("Rome");

}  // namespace

TEST_CASE("rows are seen at a commit, in a folder for each value") {
  Folder folder(R"("format": "csv", "partition_by": ["day", "city"])");
  REQUIRE(folder.open());
  REQUIRE(folder.write({{oslo, 1}, {bonn, 2}, {oslo, 3}, {Value(), 4}}));
  CHECK(folder.content().empty());
  REQUIRE(folder.commit());
  CHECK(folder.content() ==
        Content{{"day=2024-02-29/city=Oslo/rows.csv", "n\n1\n3\n"},
                {"day=2024-02-29/city=Bonn/rows.csv", "n\n2\n"},
                {"day=2024-02-29/city=__HIVE_DEFAULT_PARTITION__/rows.csv", "n\n4\n"}});
  CHECK(folder.left_over().empty());
}

TEST_CASE("a commit replaces the folders that it has rows for, and no others") {
  Folder folder;
  REQUIRE(folder.open());
  REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}));
  REQUIRE(folder.commit());
  REQUIRE(folder.commit());
  REQUIRE(folder.write({{oslo, 3}}));
  REQUIRE(folder.commit());
  const std::string day = R"({"day":"2024-02-29","n":)";
  CHECK(folder.content() ==
        Content{{"city=Bonn/rows.jsonl", day + "2}\n"}, {"city=Oslo/rows.jsonl", day + "3}\n"}});
}

TEST_CASE("a folder that is replaced as a whole has what a commit brings, and nothing else") {
  Folder folder(by_day_and_city);
  REQUIRE(folder.open());
  REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}, 1));
  REQUIRE(folder.write({{oslo, 3}, {bonn, 4}, {rome, 5}}, 2));
  REQUIRE(folder.commit());
  CHECK(folder.content().size() == 5);
  SUBCASE("by a commit") {
    REQUIRE(folder.write({{rome, 6}, {bonn, 7}}, 2));
    REQUIRE(folder.commit());
  }
  SUBCASE("by an epoch of a batch") {
    REQUIRE(folder.open_epochs(0, true));
    REQUIRE(folder.write({{rome, 6}, {bonn, 7}}, 2));
    REQUIRE(*folder.sink().prepare(1));
    REQUIRE(folder.sink().publish());
  }
  CHECK(folder.content() == Content{{"day=1970-01-02/city=Bonn/rows.csv", "n\n2\n"},
                                    {"day=1970-01-02/city=Oslo/rows.csv", "n\n1\n"},
                                    {"day=1970-01-03/city=Bonn/rows.csv", "n\n7\n"},
                                    {"day=1970-01-03/city=Rome/rows.csv", "n\n6\n"}});
  CHECK(folder.left_over().empty());
}

TEST_CASE("what runs all the time adds to a folder, whatever it replaces as a batch") {
  Folder folder(by_day_and_city);
  REQUIRE(folder.open_epochs(0));
  for (int n : {1, 2}) {
    REQUIRE(folder.write({{n == 1 ? oslo : bonn, n}}, 1));
    REQUIRE(*folder.sink().prepare(static_cast<std::uint64_t>(n)));
    REQUIRE(folder.sink().publish());
  }
  CHECK(folder.content().size() == 2);
}

TEST_CASE("a crash while a folder is replaced leaves it as it was, or as it is to be") {
  bool done = false;
  std::set<std::string> outcomes;
  for (std::uint64_t changes = 0; !done; ++changes) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      CAPTURE(changes);
      CAPTURE(seed);
      Folder folder(by_day_and_city, seed);
      REQUIRE(folder.open());
      REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}, 1));
      REQUIRE(folder.commit());
      Content before = folder.content();
      Content after{{"day=1970-01-02/city=Bonn/rows.csv", "n\n3\n"},
                    {"day=1970-01-02/city=Rome/rows.csv", "n\n4\n"}};
      folder.files.stop_after(changes);
      bool committed =
          folder.write({{bonn, 3}, {rome, 4}}, 1).has_value() && folder.commit().has_value();
      done = done || committed;
      folder.crash(seed % 2 == 0);
      // The next start may die, too.
      folder.files.stop_after(changes % 5);
      static_cast<void>(folder.open());
      folder.crash(seed % 4 < 2);
      REQUIRE(folder.open());
      CHECK(folder.left_over().empty());
      bool is_new = folder.content() == after;
      CHECK((is_new || folder.content() == before));
      if (committed) CHECK(is_new);
      outcomes.insert(is_new ? committed ? "new" : "finished" : "old");
    }
  }
  CHECK(outcomes == std::set<std::string>{"old", "finished", "new"});
}

TEST_CASE("without columns to split by there is one file") {
  Folder folder(R"("format": "csv")");
  REQUIRE(folder.open());
  REQUIRE(folder.write({{oslo, 1}}));
  REQUIRE(folder.commit());
  CHECK(folder.content() == Content{{"rows.csv", "day,city,n\n2024-02-29,Oslo,1\n"}});
}

TEST_CASE("a value never becomes a path") {
  CHECK(folder_name("a", "../x") == "a=..%2Fx");
  CHECK(folder_name("..", ".") == "..=.");
  CHECK(folder_name("a/b", std::string_view("\0\n%=", 4)) == "a%2Fb=%00%0A%25%3D");
  CHECK(folder_name("c", "Køge") == "c=K%C3%B8ge");
  CHECK(folder_name("c", "__HIVE_DEFAULT_PARTITION__") == "c=%5F_HIVE_DEFAULT_PARTITION__");
  CHECK(folder_name("c", "") == "c=");
  Folder folder;
  REQUIRE(folder.open());
  auto written = folder.write({{std::string(300, 'x'), 1}});
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().code == Errc::bad_record);
  CHECK_FALSE(folder.write({{std::string(300, 'x'), 1}}).has_value());
  REQUIRE(folder.write({{std::string("/"), 1}}));
  REQUIRE(folder.commit());
  CHECK(folder.content().contains("city=%2F/rows.jsonl"));
  CHECK(folder.content().size() == 1);
}

TEST_CASE("however little is buffered, the files are the same") {
  Content expected;
  for (std::size_t bytes : {1, 60, 100'000}) {
    Folder folder;
    REQUIRE(folder.open({bytes, bytes / 2 + 1}));
    for (int i = 0; i < 50; ++i) REQUIRE(folder.write({{oslo, i}, {bonn, -i}, {rome, i * i}}));
    REQUIRE(folder.commit());
    if (expected.empty()) expected = folder.content();
    CHECK(folder.content() == expected);
  }
}

TEST_CASE("one folder has one writer") {
  Folder folder;
  REQUIRE(folder.open());
  FilePlan plan(by_city);
  auto second = FileSink::open(plan.bound.nodes[1], folder.files, "you", {});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Errc::locked);
}

TEST_CASE("what was not committed is gone at the next start") {
  Folder folder;
  REQUIRE(folder.open({1, 1}));
  REQUIRE(folder.write({{oslo, 1}}));
  CHECK(folder.left_over() == std::vector<std::string>{"writing"});
  folder.crash(false);
  REQUIRE(folder.open());
  CHECK(folder.content().empty());
  CHECK(folder.left_over().empty());
}

TEST_CASE("a crash at any change to the disk leaves the old files or the new ones, whole") {
  Content old_content, new_content;
  std::set<std::string> outcomes;
  bool done = false;
  for (std::uint64_t changes = 0; !done; ++changes) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(changes);
      CAPTURE(seed);
      Folder folder(by_city, seed);
      REQUIRE(folder.open());
      REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}));
      REQUIRE(folder.commit());
      if (old_content.empty()) old_content = folder.content();
      folder.files.stop_after(changes);
      bool written = folder.write({{oslo, 3}, {rome, 4}}).has_value();
      bool committed = written && folder.commit().has_value();
      bool stopped = folder.files.stopped();
      if (!stopped) {
        new_content = folder.content();
        done = true;
      }
      CHECK(committed != stopped);
      folder.crash(seed % 2 == 0);
      REQUIRE(folder.open());
      CHECK(folder.left_over().empty());
      auto found = folder.content();
      bool is_old = found == old_content;
      bool is_new = found.size() == 3 &&
                    found.at("city=Bonn/rows.jsonl") == old_content.at("city=Bonn/rows.jsonl") &&
                    found.at("city=Oslo/rows.jsonl") == "{\"day\":\"2024-02-29\",\"n\":3}\n" &&
                    found.at("city=Rome/rows.jsonl") == "{\"day\":\"2024-02-29\",\"n\":4}\n";
      CHECK(is_old != is_new);
      if (committed) CHECK(is_new);
      outcomes.insert(is_old ? "old" : stopped ? "finished" : "new");
    }
  }
  CHECK(outcomes == std::set<std::string>{"old", "finished", "new"});
  CHECK(new_content.size() == 3);
}

TEST_CASE("a crash while a start cleans up is cleaned up by the next") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (std::uint64_t second = 0; second < 10; ++second) {
      CAPTURE(seed);
      CAPTURE(second);
      Folder folder(by_city, seed);
      REQUIRE(folder.open());
      REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}));
      REQUIRE(folder.commit());
      auto before = folder.content();
      REQUIRE(folder.write({{oslo, 3}, {bonn, 4}}));
      folder.files.stop_after(seed);
      bool committed = folder.commit().has_value();
      folder.crash(seed % 2 == 0);
      folder.files.stop_after(second);
      static_cast<void>(folder.open());
      folder.crash(second % 2 == 0);
      REQUIRE(folder.open());
      auto found = folder.content();
      REQUIRE(found.size() == 2);
      bool same_age = (found.at("city=Oslo/rows.jsonl") == before.at("city=Oslo/rows.jsonl")) ==
                      (found.at("city=Bonn/rows.jsonl") == before.at("city=Bonn/rows.jsonl"));
      CHECK(same_age);
      if (committed) CHECK(found != before);
    }
  }
}

TEST_CASE("a disk that is full or fails ends a commit with an error, and nothing is half there") {
  for (const char* fault : {"full", "sync", "write"}) {
    Folder folder;
    REQUIRE(folder.open());
    REQUIRE(folder.write({{oslo, 1}}));
    REQUIRE(folder.commit());
    auto before = folder.content();
    REQUIRE(folder.write({{oslo, 2}, {bonn, 3}}));
    if (fault == std::string("full")) folder.files.set_free_bytes(0);
    if (fault == std::string("sync")) folder.files.fail_sync("city=Bonn");
    if (fault == std::string("write")) folder.files.fail_writes("city=Bonn");
    CHECK_FALSE(folder.commit().has_value());
    CHECK(folder.content() == before);
    folder.files.heal();
    folder.files.set_free_bytes({});
    folder.crash(true);
    REQUIRE(folder.open());
    CHECK(folder.content() == before);
  }
}

TEST_CASE("within epochs rows are seen when their epoch is committed, in files of its own") {
  Folder folder;
  REQUIRE(folder.open_epochs(0));
  REQUIRE(folder.write({{oslo, 1}}));
  REQUIRE(folder.write({{bonn, 2}}));
  CHECK(folder.sink().unprepared_bytes() > 0);
  auto prepared = folder.sink().prepare(7);
  REQUIRE(prepared.has_value());
  CHECK(*prepared);
  CHECK(folder.sink().unprepared_bytes() == 0);
  CHECK(folder.content().empty());
  // The next epoch goes on meanwhile.
  REQUIRE(folder.write({{oslo, 3}}));
  REQUIRE(folder.sink().publish());
  const std::string day = R"({"day":"2024-02-29","n":)";
  Content first{{"city=Bonn/rows-2-7.jsonl", day + "2}\n"},
                {"city=Oslo/rows-2-7.jsonl", day + "1}\n"}};
  CHECK(folder.content() == first);
  REQUIRE(*folder.sink().prepare(9));
  REQUIRE(folder.sink().publish());
  first["city=Oslo/rows-2-9.jsonl"] = day + "3}\n";
  CHECK(folder.content() == first);
  auto nothing = folder.sink().prepare(10);
  REQUIRE(nothing.has_value());
  CHECK_FALSE(*nothing);
  REQUIRE(folder.sink().publish());
  CHECK(folder.content() == first);
  CHECK(folder.left_over().empty());
}

TEST_CASE("an epoch of a batch replaces what earlier ones wrote") {
  Folder folder;
  REQUIRE(folder.open_epochs(0, true));
  for (int n : {1, 2}) {
    REQUIRE(folder.write({{oslo, n}}));
    REQUIRE(*folder.sink().prepare(static_cast<std::uint64_t>(n)));
    REQUIRE(folder.sink().publish());
  }
  CHECK(folder.content() ==
        Content{{"city=Oslo/rows.jsonl", R"({"day":"2024-02-29","n":2})" + std::string("\n")}});
}

TEST_CASE("what one version has not shown yet, no other and no plain run passes over") {
  Folder folder;
  REQUIRE(folder.open_epochs(0));
  REQUIRE(folder.write({{oslo, 1}}));
  REQUIRE(*folder.sink().prepare(7));
  folder.crash(false);
  auto plain = folder.open();
  REQUIRE_FALSE(plain.has_value());
  CHECK(plain.error().code == Errc::locked);
  CHECK(plain.error().what ==
        "/x/out/.leat/commit-2-7 has what version 2 of a pipeline has not shown yet: let that "
        "version start once, or remove it");
  REQUIRE(folder.open_epochs(7));
  CHECK(folder.content().size() == 1);
}

TEST_CASE("a crash at any change leaves the files of an epoch exactly if it is committed") {
  Content first_content;
  std::set<std::string> outcomes;
  bool done = false;
  for (std::uint64_t changes = 0; !done; ++changes) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(changes);
      CAPTURE(seed);
      Folder folder(by_city, seed);
      REQUIRE(folder.open_epochs(0));
      REQUIRE(folder.write({{oslo, 1}, {bonn, 2}}));
      REQUIRE(*folder.sink().prepare(1));
      REQUIRE(folder.sink().publish());
      if (first_content.empty()) first_content = folder.content();
      folder.files.stop_after(changes);
      bool prepared =
          folder.write({{oslo, 3}, {rome, 4}}).has_value() && folder.sink().prepare(2).has_value();
      // The epoch may or may not be committed once it is prepared.
      bool committed = prepared && seed % 3 != 0;
      bool published = committed && folder.sink().publish().has_value();
      done = done || (published && !folder.files.stopped());
      folder.crash(seed % 2 == 0);
      // The start may be cut short, too.
      if (seed % 4 < 2) {
        folder.files.stop_after(seed / 2);
        static_cast<void>(folder.open_epochs(committed ? 2 : 1));
        folder.crash(seed % 4 == 0);
      }
      REQUIRE(folder.open_epochs(committed ? 2 : 1));
      CHECK(folder.left_over().empty());
      auto expected = first_content;
      if (committed) {
        expected["city=Oslo/rows-2-2.jsonl"] = "{\"day\":\"2024-02-29\",\"n\":3}\n";
        expected["city=Rome/rows-2-2.jsonl"] = "{\"day\":\"2024-02-29\",\"n\":4}\n";
      }
      CHECK(folder.content() == expected);
      outcomes.insert(published   ? "published"
                      : committed ? "committed"
                      : prepared  ? "prepared"
                                  : "neither");
    }
  }
  CHECK(outcomes == std::set<std::string>{"published", "committed", "prepared", "neither"});
}

TEST_SUITE_END();
