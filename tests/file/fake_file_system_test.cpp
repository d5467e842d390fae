// What crashes and faults of the fake file system do: each rule over many seeds, both that nothing
// else happens and that every outcome does.
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"

TEST_SUITE_BEGIN("file");

using namespace leat;
using namespace leat::file;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t page = FakeInode::page_bytes;

/// A file system with the directory /d on disk, and a small language over it.
struct World {
  explicit World(std::uint64_t seed = 1) : files(executor, seed) {
    REQUIRE(files.make_directories("/d"));
    REQUIRE(files.sync_directory("/"));
  }
  FilePtr open(const std::string& path) { return *files.open(path, OpenMode::create); }
  /// A file whose entry and content are on disk.
  FilePtr durable(const std::string& path, const std::string& text) {
    FilePtr file = open(path);
    REQUIRE(write(*file, 0, text));
    REQUIRE(file->sync());
    REQUIRE(files.sync_directory("/d"));
    return file;
  }
  static Result<void> write(File& file, std::uint64_t position, std::string_view text) {
    std::array parts{as_bytes(text)};
    return file.write_at(position, parts);
  }
  void crash(bool power) {
    executor.drop_all();
    power ? files.power_loss() : files.kill();
  }
  std::string text(const std::string& path) {
    auto content = read_file(files, path);
    return content ? std::string(as_text(*content)) : "none";
  }

  SimExecutor executor;
  FakeFileSystem files;
};

/// Checks that `run`, over 200 seeds, gives each of `expected` and nothing else.
void outcomes(const std::set<std::string>& expected,
              const std::function<std::string(World&)>& run) {
  std::map<std::string, std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    seen.try_emplace(run(world), seed);
  }
  for (const auto& [outcome, seed] : seen) {
    CHECK_MESSAGE(expected.count(outcome) == 1, "unexpected ", outcome, " at seed ", seed);
  }
  for (const auto& outcome : expected) {
    CHECK_MESSAGE(seen.count(outcome) == 1, "never ", outcome);
  }
}

/// Runs of equal bytes shortened to the byte, zeros as '0': "aaaabb\0\0" is "ab0".
std::string shape(const std::string& text) {
  std::string runs;
  for (char c : text) {
    char shown = c == '\0' ? '0' : c;
    if (runs.empty() || runs.back() != shown) runs += shown;
  }
  return runs;
}

}  // namespace

TEST_CASE("what was synced survives a power loss, whatever else is written") {
  outcomes({"abc"}, [](World& world) {
    FilePtr file = world.durable("/d/a", std::string(page, 'a') + std::string(page, 'b'));
    world.durable("/d/b", std::string(3 * page, 'x'));
    REQUIRE(World::write(*file, 2 * page, std::string(page, 'c')));
    REQUIRE(file->sync());
    REQUIRE(World::write(*file, 3 * page, std::string(3 * page, 'd')));
    world.open("/d/c");
    world.crash(true);
    return shape(world.text("/d/a").substr(0, 3 * page));
  });
}

TEST_CASE("an unsynced overwrite survives in any part, by sectors") {
  std::map<std::string, int> seen;
  bool torn = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    FilePtr file = world.durable("/d/a", std::string(3 * page, 'o'));
    REQUIRE(World::write(*file, 0, std::string(3 * page, 'n')));
    world.crash(true);
    std::string text = world.text("/d/a");
    REQUIRE(text.size() == 3 * page);
    for (std::size_t i = 0; i < text.size(); i += FakeInode::sector_bytes) {
      REQUIRE(shape(text.substr(i, FakeInode::sector_bytes)).size() == 1);
    }
    for (std::size_t i = 0; i < 3; ++i) torn |= shape(text.substr(i * page, page)).size() > 1;
    ++seen[shape(text)];
  }
  CHECK(torn);
  CHECK(seen["o"] > 10);
  CHECK(seen["n"] > 10);
  CHECK(seen["no"] > 3);  // In order,
  CHECK(seen["on"] > 3);  // and out of order.
  CHECK(seen["ono"] > 0);
}

TEST_CASE("an older version of a page may be what survives") {
  outcomes({"a", "b", "c"}, [](World& world) {
    FilePtr file = world.durable("/d/a", std::string(512, 'a'));
    REQUIRE(World::write(*file, 0, std::string(512, 'b')));
    REQUIRE(World::write(*file, 0, std::string(512, 'c')));
    world.crash(true);
    return shape(world.text("/d/a"));
  });
}

TEST_CASE("an unsynced extension keeps any size; its bytes are its own, zeros or another file's") {
  std::set<std::uint64_t> sizes;
  std::set<std::string> shapes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    world.durable("/d/other", std::string(4 * page, 's'));
    FilePtr file = world.durable("/d/a", std::string(page, 'a'));
    REQUIRE(World::write(*file, page, std::string(page, 'n')));
    world.crash(true);
    std::string text = world.text("/d/a");
    REQUIRE(text.size() >= page);
    REQUIRE(text.size() <= 2 * page);
    REQUIRE(shape(text.substr(0, page)) == "a");
    sizes.insert(text.size());
    if (text.size() == 2 * page) shapes.insert(shape(text.substr(page)));
  }
  CHECK(sizes.count(page) == 1);
  CHECK(sizes.count(2 * page) == 1);
  CHECK(sizes.size() > 20);
  for (const char* wanted : {"n", "0", "s"}) CHECK_MESSAGE(shapes.count(wanted) == 1, wanted);
  for (const auto& seen : shapes) CHECK(seen.find_first_not_of("n0s") == std::string::npos);
}

TEST_CASE("stale bytes may come from a file that was removed, and never show without a crash") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    world.durable("/d/gone", std::string(page, 's'));
    REQUIRE(world.files.remove("/d/gone"));
    REQUIRE(world.files.sync_directory("/d"));
    FilePtr file = world.durable("/d/a", "");
    REQUIRE(World::write(*file, 0, std::string(page, 'n')));
    REQUIRE(shape(world.text("/d/a")) == "n");
    world.crash(true);
    seen.insert(shape(world.text("/d/a")));
  }
  CHECK(seen.count("s") == 1);
}

TEST_CASE("a file that lost its end grows again with zeros") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    FilePtr file = world.durable("/d/a", "a");
    REQUIRE(World::write(*file, 1, std::string(2 * page, 'n')));
    world.crash(true);
    std::size_t left = world.text("/d/a").size();
    REQUIRE(World::write(*world.open("/d/a"), left + 100, "x"));
    REQUIRE(world.text("/d/a").substr(left) == std::string(100, '\0') + "x");
  }
}

TEST_CASE("an unsynced truncation happened or not, and never takes what it kept") {
  outcomes({"kept", "cut", "between"}, [](World& world) {
    FilePtr file = world.durable("/d/a", std::string(2 * page, 'a'));
    REQUIRE(file->truncate(page));
    world.crash(true);
    std::string text = world.text("/d/a");
    REQUIRE(text.size() >= page);
    REQUIRE(shape(text.substr(0, page)) == "a");
    return text.size() == page ? "cut" : text.size() == 2 * page ? "kept" : "between";
  });
}

TEST_CASE("a synced truncation stays, and the file grows again with zeros") {
  outcomes({"a0"}, [](World& world) {
    FilePtr file = world.durable("/d/a", std::string(2 * page, 'a'));
    REQUIRE(file->truncate(100));
    REQUIRE(file->truncate(2 * page));
    REQUIRE(file->sync());
    world.crash(true);
    return shape(world.text("/d/a"));
  });
}

TEST_CASE("a new file is lost with its entry even if its content was synced") {
  outcomes({"none", "text"}, [](World& world) {
    FilePtr file = world.open("/d/a");
    REQUIRE(World::write(*file, 0, "text"));
    REQUIRE(file->sync());
    world.crash(true);
    return world.text("/d/a");
  });
}

TEST_CASE("creates are lost one by one, not only from the last") {
  outcomes({"", "a", "b", "ab"}, [](World& world) {
    world.open("/d/a");
    world.open("/d/b");
    world.crash(true);
    std::string names;
    auto entries = world.files.list("/d");
    for (const auto& entry : *entries) names += entry.name;
    return names;
  });
}

TEST_CASE("a removal is undone or not before its directory is synced, and stays after") {
  outcomes({"text", "none"}, [](World& world) {
    world.durable("/d/a", "text");
    REQUIRE(world.files.remove("/d/a"));
    world.crash(true);
    return world.text("/d/a");
  });
  outcomes({"none"}, [](World& world) {
    world.durable("/d/a", "text");
    REQUIRE(world.files.remove("/d/a"));
    REQUIRE(world.files.sync_directory("/d"));
    world.crash(true);
    return world.text("/d/a");
  });
}

TEST_CASE("a rename happens whole or not at all, between directories too") {
  outcomes({"old,none,new", "new,none,none"}, [](World& world) {
    world.durable("/d/a", "old");
    world.durable("/d/b", "new");
    REQUIRE(world.files.rename("/d/b", "/d/a"));
    world.crash(true);
    return world.text("/d/a") + "," + world.text("/d/c") + "," + world.text("/d/b");
  });
  outcomes({"text,none", "none,text", "text,text"}, [](World& world) {
    REQUIRE(world.files.make_directories("/d/e"));
    world.durable("/d/a", "text");
    REQUIRE(world.files.rename("/d/a", "/d/e/a"));
    world.crash(true);
    return world.text("/d/a") + "," + world.text("/d/e/a");
  });
  outcomes({"none,text"}, [](World& world) {
    REQUIRE(world.files.make_directories("/d/e"));
    world.durable("/d/a", "text");
    REQUIRE(world.files.rename("/d/a", "/d/e/a"));
    REQUIRE(world.files.sync_directory("/d"));
    world.crash(true);
    return world.text("/d/a") + "," + world.text("/d/e/a");
  });
}

TEST_CASE("a directory is lost with all in it unless its parent was synced") {
  outcomes({"none", "text"}, [](World& world) {
    REQUIRE(world.files.make_directories("/d/e"));
    FilePtr file = world.open("/d/e/a");
    REQUIRE(World::write(*file, 0, "text"));
    REQUIRE(file->sync());
    REQUIRE(world.files.sync_directory("/d/e"));
    world.crash(true);
    return world.text("/d/e/a");
  });
}

TEST_CASE("replacing a file leaves the old text or the new one wherever it is cut") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    world.durable("/d/a", "old");
    world.files.stop_after(seed % 8);
    Result<void> replaced = replace_file(world.files, "/d/a", as_bytes("new"));
    CHECK(replaced.has_value() == !world.files.stopped());
    bool done = replaced.has_value();
    world.crash(seed % 3 != 0);
    std::string text = world.text("/d/a");
    CHECK((text == "new" || (text == "old" && !done)));
    seen.insert(text + (done ? " done" : ""));
  }
  CHECK(seen == std::set<std::string>{"old", "new", "new done"});
}

TEST_CASE("a killed process leaves all it wrote and nothing it held") {
  World world;
  FilePtr file = world.open("/d/a");
  auto lock = world.files.lock("/d", "pid 1");
  REQUIRE(lock);
  REQUIRE(World::write(*file, 0, "text"));
  std::string boot = world.files.boot_id();
  bool answered = false;
  file->async_sync(world.executor, [&](Result<void>) { answered = true; });
  world.files.offload([&] { answered = true; }, world.executor, [] {});
  world.files.kill();
  world.executor.run_until_idle();
  CHECK(!answered);
  CHECK(world.text("/d/a") == "text");
  CHECK(world.files.boot_id() == boot);
  CHECK(World::write(*file, 0, "x").error().code == Errc::io_error);
  CHECK(file->size().error().code == Errc::io_error);
  CHECK(file->sync().error().code == Errc::io_error);
  std::array<std::byte, 4> bytes;
  CHECK(file->read_at(0, bytes).error().code == Errc::io_error);
  auto next = world.files.lock("/d", "pid 2");
  CHECK(next);
  lock->reset();  // The dead one's end does not free the living one's.
  CHECK(world.files.lock("/d", "pid 3").error().code == Errc::locked);
}

TEST_CASE("a sync under way when its process is killed does not happen") {
  outcomes({"old", "new"}, [](World& world) {
    FilePtr file = world.durable("/d/a", "old");
    REQUIRE(World::write(*file, 0, "new"));
    file->async_sync(world.executor, [](Result<void>) {});
    world.files.kill();
    world.executor.run_until_idle();
    world.crash(true);
    return world.text("/d/a");
  });
}

TEST_CASE("a power loss changes the boot id") {
  World world;
  std::string boot = world.files.boot_id();
  world.files.power_loss();
  CHECK(world.files.boot_id() != boot);
}

TEST_CASE("a sync carries what was written before it was issued, at a later time") {
  outcomes({"early", "early late"}, [](World& world) {
    FilePtr file = world.durable("/d/a", std::string(page, ' '));
    REQUIRE(World::write(*file, 0, "early"));
    bool answered = false;
    file->async_sync(world.executor, [&](Result<void> synced) { answered = synced.has_value(); });
    REQUIRE(!answered);
    REQUIRE(World::write(*file, 6, "late"));
    world.executor.run_until_idle();
    REQUIRE(answered);
    REQUIRE(world.executor.monotonic() > 0ns);
    world.crash(true);
    std::string text = world.text("/d/a").substr(0, 10);
    return text.substr(0, text.find_last_not_of(' ') + 1);
  });
}

TEST_CASE("syncs that overtake each other never take back what was synced") {
  outcomes({"ab"}, [](World& world) {
    FilePtr file = world.durable("/d/a", "");
    int answered = 0;
    auto done = [&](Result<void>) { ++answered; };
    REQUIRE(World::write(*file, 0, "a"));
    file->async_sync(world.executor, done);
    REQUIRE(World::write(*file, 1, "b"));
    file->async_sync(world.executor, done);
    world.executor.run_until_idle();
    REQUIRE(answered == 2);
    world.crash(true);
    return world.text("/d/a");
  });
}

TEST_CASE("after a failed sync a second one succeeds and may have lied") {
  outcomes({"old", "new"}, [](World& world) {
    FilePtr file = world.durable("/d/a", "old");
    REQUIRE(World::write(*file, 0, "new"));
    world.files.fail_sync("/d/a");
    CHECK(file->sync().error().code == Errc::io_error);
    REQUIRE(file->sync());
    CHECK(world.text("/d/a") == "new");
    world.crash(true);
    return world.text("/d/a");
  });
}

TEST_CASE("the nth sync of a path fails, once, asynchronous ones and directories' too") {
  World world;
  FilePtr a = world.open("/d/a");
  FilePtr b = world.open("/d/b");
  world.files.fail_sync("/a", 2);
  CHECK(a->sync());
  CHECK(b->sync());
  std::string answer;
  a->async_sync(world.executor, [&](Result<void> synced) {
    if (!synced) answer = synced.error().what;
  });
  world.executor.run_until_idle();
  CHECK(answer == "cannot sync /d/a: Input/output error");
  CHECK(a->sync());
  world.files.fail_sync("/d");
  CHECK(!world.files.sync_directory("/d"));
  CHECK(world.files.sync_directory("/d"));
}

TEST_CASE("a full disk takes a part, lets what is there be written again, and can be freed") {
  std::set<std::uint64_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    FilePtr file = world.durable("/d/a", "text");
    FilePtr other = world.durable("/d/b", std::string(page, 'b'));
    world.files.set_free_bytes(2 * page);
    auto written = World::write(*file, 4, std::string(4 * page, 'x'));
    REQUIRE(!written);
    REQUIRE(written.error().what == "cannot write /d/a: No space left on device");
    REQUIRE(written.error().code == Errc::no_space);
    REQUIRE(*file->size() <= 3 * page);
    sizes.insert(*file->size());
    REQUIRE(World::write(*file, 0, "TEXT"));
    REQUIRE(World::write(*file, 0, std::string(3 * page, 'x')));
    REQUIRE(*world.files.free_bytes("/d") == 0);
    REQUIRE(world.files.open("/d/c", OpenMode::create).error().code == Errc::no_space);
    REQUIRE(world.files.remove("/d/b"));
    REQUIRE(World::write(*file, 3 * page, "more"));
  }
  CHECK(sizes.size() > 20);
}

TEST_CASE("reads and writes fail by path until healed") {
  World world;
  FilePtr a = world.durable("/d/a", "text");
  FilePtr b = world.durable("/d/b", "text");
  world.files.fail_reads("/a");
  world.files.fail_writes("/b");
  CHECK(read_file(world.files, "/d/a").error().what == "cannot read /d/a: Input/output error");
  CHECK(World::write(*a, 0, "x"));
  CHECK(World::write(*b, 0, "x").error().code == Errc::io_error);
  CHECK(b->truncate(0).error().code == Errc::io_error);
  CHECK(world.text("/d/b") == "text");
  world.files.heal();
  CHECK(world.text("/d/a") == "xext");
  CHECK(World::write(*b, 0, "x"));
}

TEST_CASE("a flipped bit is read, survives a power loss, and is one bit") {
  World world;
  world.durable("/d/a", "text");
  world.files.flip_bit("/d/a", 1, 5);
  CHECK(world.text("/d/a") == "tExt");
  world.crash(true);
  CHECK(world.text("/d/a") == "tExt");
  std::set<std::string> paths;
  world.durable("/d/b", "text");
  for (int i = 0; i < 50; ++i) {
    auto flipped = world.files.flip_random_bit("/d/");
    REQUIRE(flipped);
    paths.insert(flipped->path);
    world.files.flip_bit(flipped->path, flipped->position, flipped->bit);
  }
  CHECK(paths == std::set<std::string>{"/d/a", "/d/b"});
  CHECK(world.text("/d/a") == "tExt");
  CHECK(!world.files.flip_random_bit("/none"));
}

TEST_CASE("a process stopped in mid-change writes a part and nothing after it") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed);
    FilePtr file = world.durable("/d/a", "");
    world.files.stop_after(1);
    REQUIRE(World::write(*file, 0, "one"));
    REQUIRE(!World::write(*file, 3, "two"));
    REQUIRE(world.files.stopped());
    REQUIRE(!World::write(*file, 3, "xxx"));
    REQUIRE(!world.files.open("/d/b", OpenMode::create));
    REQUIRE(!world.files.exists("/d/a"));
    REQUIRE(!world.files.remove("/d/a"));
    world.crash(false);
    seen.insert(world.text("/d/a"));
  }
  CHECK(seen == std::set<std::string>{"one", "onet", "onetw", "onetwo"});
}

TEST_CASE("whoever watches the changes sees each before it is made, and may make one the last") {
  World world;
  std::vector<std::string> seen;
  world.files.watch_changes([&](const DiskChange& change) {
    seen.push_back(change.path + " " + std::string(as_text(change.content)));
    if (change.kind == DiskChange::Kind::rename) world.files.stop_after(2);
    if (change.kind == DiskChange::Kind::remove) world.files.stop_after(0);
  });
  FilePtr file = world.open("/d/a");
  REQUIRE(World::write(*file, 0, "text"));
  REQUIRE(file->sync());
  REQUIRE(world.files.rename("/d/a", "/d/b"));
  REQUIRE(world.files.sync_directory("/d"));
  REQUIRE(!World::write(*file, 4, "late"));  // done in part, as the last one is
  CHECK(world.files.stopped());
  world.crash(true);
  CHECK(world.text("/d/b").starts_with("text"));
  REQUIRE(!world.files.remove("/d/b"));
  CHECK(seen == std::vector<std::string>{"/d/a ", "/d/a text", "/d/a ", "/d/b ", "/d ", "/d/a late",
                                         "/d/b "});
  world.files.watch_changes(nullptr);
  world.crash(false);
  CHECK(world.text("/d/b").starts_with("text"));
}

TEST_CASE("the same seed gives the same history") {
  auto history = [](std::uint64_t seed) {
    World world(seed);
    FilePtr file = world.open("/d/a");
    for (std::uint64_t i = 0; i < 20; ++i) {
      REQUIRE(World::write(*file, i * 1000, std::string(3000, static_cast<char>('a' + i))));
      if (i % 7 == 3) file->async_sync(world.executor, [](Result<void>) {});
      world.executor.run_for(1ms);
    }
    world.crash(true);
    return world.text("/d/a");
  };
  CHECK(history(7) == history(7));
  CHECK(history(7) != history(8));
}

TEST_CASE("operations are counted") {
  World world;
  world.files.reset_counts();
  world.durable("/d/a", "text");
  CHECK(world.text("/d/a") == "text");
  const auto& counts = world.files.counts();
  CHECK(counts.opens == 2);
  CHECK(counts.writes == 1);
  CHECK(counts.bytes_written == 4);
  CHECK(counts.reads == 1);
  CHECK(counts.bytes_read == 4);
  CHECK(counts.syncs == 1);
  CHECK(counts.directory_syncs == 1);
}

TEST_SUITE_END();
