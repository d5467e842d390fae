// A deployed pipeline and its versions, as the catalog remembers them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/open_plan.h"
#include "pipeline/positions.h"
#include "plan/json.h"

namespace leat::pipeline {

/// What a version is to its pipeline.
enum class Role {
  deployed,  // has not been at work yet
  replay,    // reads history into topics of its own, on its way to what arrives now
  shadow,    // has come there, and follows it, into topics of its own
  live,      // writes to the sinks' own topics
  retired,   // was live, and goes on as a shadow for a while, to be live again if need be
  ended,     // is at work no more: only what it wrote is left
};

/// What a replay is told. Of a version in role replay or, having been one, in another.
struct Replay {
  /// As it was said: "start", "@2026-03-01"; `to` is empty for one that goes on as a shadow.
  std::string from = "start";
  std::string to;
  /// What that meant then. Partitions that are not named: their starts, and what there was.
  Positions begin;
  /// Up to here it gives nothing: a warm-up. From where on, and why, `warm_up` says.
  Positions silent_to;
  std::string warm_up;
  Positions end;
  /// Whose recorded epochs it repeats, as an owner; empty if it reads anew.
  std::string repeats;
  /// Why it reads anew where it would repeat them; empty else.
  std::string anew_because;
  /// A topic of dead letters that it gives to the live version's plan again, in its place: it
  /// writes to the sinks' own topics. Empty for one that reads history.
  std::string dead_letters;
  /// Closes all windows at its end.
  bool flush = false;
  /// Compares what came out with what live gave.
  bool diff = false;
  /// It becomes live by itself only if that was the same. Whoever promotes it by hand decides.
  bool only_if_same = false;
  /// Reads no faster. 0: as fast as it goes without keeping what is live waiting; or whatever
  /// becomes of that.
  double rows_per_s = 0;
  bool at_full_speed = false;
  std::int64_t begun_ms = 0;
  /// It has done what it was told: come to its end, or become a shadow.
  bool done = false;
  /// What it took and gave until then.
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  std::uint64_t bad = 0;

  static void fields(auto& self, auto& visit) {
    visit("from", self.from);
    visit("to", self.to);
    visit("begin", self.begin);
    visit("silent_to", self.silent_to);
    visit("warm_up", self.warm_up);
    visit("end", self.end);
    visit("repeats", self.repeats);
    visit("anew_because", self.anew_because);
    visit("dead_letters", self.dead_letters);
    visit("flush", self.flush);
    visit("diff", self.diff);
    visit("only_if_same", self.only_if_same);
    visit("rows_per_s", self.rows_per_s);
    visit("at_full_speed", self.at_full_speed);
    visit("begun_ms", self.begun_ms);
    visit("done", self.done);
    visit("rows_in", self.rows_in);
    visit("rows_out", self.rows_out);
    visit("late", self.late);
    visit("bad", self.bad);
  }
};

/// A time in role live: which records of the sinks' topics are a version's.
struct Stint {
  std::int64_t begun_ms = 0;
  /// Where it took over, of what it reads; empty for the first version's beginning.
  Positions inputs;
  /// Of what it writes to: from where on, and up to where, which is empty as long as it is live.
  Positions begin;
  Positions end;

  static void fields(auto& self, auto& visit) {
    visit("begun_ms", self.begun_ms);
    visit("inputs", self.inputs);
    visit("begin", self.begin);
    visit("end", self.end);
  }
};

/// The runs of a plan in mode batch.
struct BatchRuns {
  std::uint64_t count = 0;
  /// Of the last one. It is under way if it has not ended.
  std::int64_t begun_ms = 0;
  std::int64_t ended_ms = 0;
  /// The version's last epoch when the last run that ended had ended.
  std::uint64_t last_epoch = 0;
  /// What the last one was given beside what the version was deployed with.
  plan::Parameters values = {};

  bool is_under_way() const { return count > 0 && ended_ms < begun_ms; }
  static void fields(auto& self, auto& visit) {
    visit("count", self.count);
    visit("begun_ms", self.begun_ms);
    visit("ended_ms", self.ended_ms);
    visit("last_epoch", self.last_epoch);
    visit("values", self.values);
  }
};

struct Version {
  std::uint32_t number = 1;
  /// Canonical JSON. Of a batch that leaves something open that of its last run.
  std::string plan;
  std::string hash;
  Role role = Role::deployed;
  std::int64_t created_ms = 0;
  /// Since when it has its role.
  std::int64_t role_ms = 0;
  /// It is to become live when it is as far as the one that is.
  bool promotes = false;
  std::optional<Replay> replay;
  std::vector<Stint> stints;
  BatchRuns batch;
  /// Of a batch that leaves something open: each run begins by making `plan` of it.
  std::optional<OpenPlan> open;

  /// It gives dead letters again, and is nothing that could become live.
  bool is_of_letters() const { return replay && !replay->dead_letters.empty(); }

  static void fields(auto& self, auto& visit) {
    visit("number", self.number);
    visit.plan("plan", self.plan);
    visit("hash", self.hash);
    visit("role", self.role);
    visit("created_ms", self.created_ms);
    visit("role_ms", self.role_ms);
    visit("promotes", self.promotes);
    visit("replay", self.replay);
    visit("stints", self.stints);
    visit("batch", self.batch);
    visit("open", self.open);
  }
};

/// Up to where the dead letters of a topic have been given again: positions in it, by the topics
/// that they came from.
struct TakenLetters {
  std::string topic;
  Positions next;

  static void fields(auto& self, auto& visit) {
    visit("topic", self.topic);
    visit("next", self.next);
  }
};

struct Deployed {
  std::string name;
  std::int64_t created_ms = 0;
  bool paused = false;
  /// It is being removed, with its shadow topics if those go too.
  bool dropped = false;
  bool drops_topics = false;
  /// By rising numbers.
  std::vector<Version> versions;
  /// The number that the next one gets: none is used twice.
  std::uint32_t next_version = 1;
  std::vector<TakenLetters> letters;

  static void fields(auto& self, auto& visit) {
    visit("name", self.name);
    visit("created_ms", self.created_ms);
    visit("paused", self.paused);
    visit("dropped", self.dropped);
    visit("drops_topics", self.drops_topics);
    visit("versions", self.versions);
    visit("next_version", self.next_version);
    visit("letters", self.letters);
  }

  Version* find(std::uint32_t number);
  const Version* find(std::uint32_t number) const {
    return const_cast<Deployed*>(this)->find(number);
  }
  /// The one in role live.
  Version* live();
  const Version* live() const { return const_cast<Deployed*>(this)->live(); }
  /// The last one that is not of letters; null if there is none.
  const Version* newest() const;
};

std::string_view name(Role role);
/// Whether a version in that role is at work, unless its pipeline is paused.
bool is_at_work(Role role);

/// The value of a record of the catalog. A reader of another format refuses: Errc::corrupt_message
/// for what is none, Errc::unsupported_format for a newer one.
std::string encode(const Deployed& pipeline);
Result<Deployed> decode_deployed(std::string_view text);

/// [["edits", 0, 17], ...], as people and programs get them.
plan::Json to_json(const Positions& positions);

}  // namespace leat::pipeline
