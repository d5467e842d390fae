// Giving a pipeline its dead letters again: a version of the live plan that reads them in place of
// what its sources read, up to what there is, and writes where the live one does.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/cut.h"
#include "pipeline/dead_letters.h"
#include "pipeline/deployment.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

const Version* version_of_letters(const Deployed& pipeline) {
  auto found = std::find_if(pipeline.versions.begin(), pipeline.versions.end(),
                            [](const Version& version) { return version.is_of_letters(); });
  return found == pipeline.versions.end() ? nullptr : &*found;
}

Result<void> check_request(const ReplayRequest& request) {
  bool is_plain = request.from == "start" && request.to.empty() && !request.diff &&
                  !request.flush && !request.promote && !request.version && request.late.empty();
  if (is_plain) return {};
  return fail(Errc::invalid_request,
              "dead letters are taken from where the last replay of them ended, up to what there "
              "is: nothing but a rate, and which topic, can be said");
}

/// Which topic's, of those that the plan has.
Result<std::string> choose_topic(const plan::Plan& plan, const ReplayRequest& request) {
  auto topics = dead_letter_topics(plan);
  if (topics.empty()) {
    return fail(Errc::invalid_request,
                fmt::format("{} has no dead letters: its bad_records and bad_rows go to no topic",
                            plan.name));
  }
  if (request.topic.empty() && topics.size() == 1) return topics.front();
  bool is_one = std::find(topics.begin(), topics.end(), request.topic) != topics.end();
  if (is_one) return request.topic;
  return fail(Errc::invalid_request,
              fmt::format("{}: the topics of dead letters of {} are {}",
                          request.topic.empty() ? "--topic has to say which" : request.topic,
                          plan.name, fmt::join(topics, ", ")));
}

const Position* find(const Positions& positions, const std::string& name, PartitionId partition) {
  for (const Position& position : positions) {
    if (position.name == name && position.partition == partition) return &position;
  }
  return nullptr;
}

}  // namespace

struct Deployment::LettersCommand {
  ReplayRequest request;
  Done done;
  Next next;
  Replay replay;
  std::uint32_t number = 0;
  /// The one before it, which is forgotten.
  std::optional<Version> before;
  std::string message;

  void answer(const Result<void>& begun) {
    if (!begun) {
      done(fail(begun));
    } else if (number == 0) {
      done(JsonObject{{"message", message}, {"version", nullptr}});
    } else {
      done(JsonObject{{"message", message}, {"version", json_number(std::uint64_t{number})}});
    }
    next();
  }
};

void Deployment::replay_letters(ReplayRequest request, Done done) {
  enqueue([this, request = std::move(request), done = std::move(done)](Next next) mutable {
    auto command = std::make_shared<LettersCommand>();
    command->request = std::move(request);
    command->done = std::move(done);
    command->next = std::move(next);
    if (is_closing_) return command->answer(fail(Errc::cancelled, "the server is stopping"));
    const Deployed* pipeline = record();
    const Version* before = pipeline == nullptr ? nullptr : version_of_letters(*pipeline);
    bool was_stopped = before != nullptr && before->role == Role::ended && !before->replay->done;
    if (!was_stopped || pipeline->paused) return begin_letters(command, {});
    find_taken(*before, [this, command](const Result<Positions>& stands) {
      if (stands) return begin_letters(command, *stands);
      command->answer(fail(stands.error().code,
                           fmt::format("where the last replay of dead letters of {} was stopped "
                                       "cannot be found: {}",
                                       name_, stands.error().what)));
    });
  });
}

// Where one that was stopped stands is known by a run of it that reads nothing.
void Deployment::find_taken(const Version& version, UniqueFunction<void(Result<Positions>)> done) {
  Worker& worker = worker_of(version);
  if (!worker.plan) return done(fail(worker.plan));
  halt_finder_ = std::make_unique<HaltFinder>(environment_.executor, environment_.data,
                                              owner_of(name_, version.number),
                                              environment_.start(options_of(version, worker)));
  halt_finder_->begin(later([this, done = std::move(done)](const Result<Halt>& halt) mutable {
    halt_finder_.reset();
    done(halt ? Result<Positions>(halt->at) : fail(halt));
  }));
}

Result<Replay> Deployment::make_letters(const Deployed& pipeline, const plan::Plan& plan,
                                        const ReplayRequest& request,
                                        const std::string& topic) const {
  Replay replay;
  replay.dead_letters = topic;
  replay.to = "end";
  replay.rows_per_s = request.rows_per_s;
  replay.at_full_speed = request.at_full_speed;
  replay.begun_ms = environment_.clock.wall_ms();
  auto starts = environment_.data.find({topic}, {LogPosition::Kind::start, 0});
  auto ends = environment_.data.find({topic}, {LogPosition::Kind::end, 0});
  if (!starts) return fail(starts);
  if (!ends) return fail(ends);
  Positions taken = taken_of(pipeline, topic);
  for (const std::string& source : letter_sources(plan)) {
    for (const Position& end : *ends) {
      const Position* start = find(*starts, topic, end.partition);
      const Position* next = find(taken, source, end.partition);
      Offset begin = start == nullptr ? end.offset : start->offset;
      // One that is beyond the end is of a topic that is no more.
      if (next != nullptr && next->offset <= end.offset) begin = std::max(begin, next->offset);
      replay.begin.push_back({source, end.partition, begin});
      replay.end.push_back({source, end.partition, end.offset});
    }
  }
  return replay;
}

Result<std::string> Deployment::prepare_letters(Deployed& pipeline, LettersCommand& command,
                                                const Positions& stands) const {
  const Version* live = std::as_const(pipeline).live();
  if (live == nullptr || pipeline.dropped) {
    return fail(Errc::invalid_request, fmt::format("{} has no live version", name_));
  }
  if (pipeline.paused) {
    return fail(Errc::invalid_request,
                fmt::format("{} is paused: `leat pipeline resume {}` first", name_, name_));
  }
  if (auto ok = check_request(command.request); !ok) return fail(ok);
  auto plan = plan::parse(live->plan);
  if (!plan) return fail(plan);
  auto topic = choose_topic(*plan, command.request);
  if (!topic) return topic;
  if (auto ok = check_takes_letters(*plan, name_); !ok) return fail(ok);
  if (const Version* before = version_of_letters(pipeline)) {
    if (before->role == Role::replay && !before->replay->done) {
      return fail(Errc::invalid_request,
                  fmt::format("version {} is giving dead letters of {} again: wait for its end, or "
                              "`leat pipeline replay {} --stop`",
                              before->number, name_, name_));
    }
    Version& old = *pipeline.find(before->number);
    note_taken(pipeline, old.replay->dead_letters, stands);
    old.replay->done = true;
    old.role = Role::ended;
    command.before = old;
  }
  auto made = make_letters(pipeline, *plan, command.request, *topic);
  if (!made) return fail(made);
  command.replay = std::move(*made);
  if (records_between(command.replay.begin, command.replay.end) == 0) {
    command.message = fmt::format("there is nothing new in {}", *topic);
    return "";
  }
  Version version;
  version.number = command.number = pipeline.next_version++;
  version.plan = live->plan;
  version.hash = live->hash;
  version.created_ms = version.role_ms = command.replay.begun_ms;
  command.message = fmt::format(
      "version {} gives what {} holds of {} to the plan of version {} again, up to what there is "
      "now; results go where those of version {} go",
      version.number, *topic, name_, live->number, live->number);
  pipeline.versions.push_back(std::move(version));
  return "";
}

void Deployment::begin_letters(std::shared_ptr<LettersCommand> command, const Positions& stands) {
  auto prepare = [this, command, stands](Deployed& pipeline) {
    return prepare_letters(pipeline, *command, stands);
  };
  change(prepare, [this, command](const Result<std::string>& prepared) {
    if (!prepared || command->number == 0) {
      return command->answer(prepared ? Result<void>() : fail(prepared));
    }
    auto begin = [this, command](const Result<void>& removed) {
      if (!removed) return command->answer(removed);
      begin_replay(command->number, command->replay, false,
                   [command](const Result<void>& begun) { command->answer(begun); });
    };
    if (!command->before) return begin({});
    // What it took is noted, so nothing of it is needed any more.
    std::uint32_t old = command->before->number;
    remove_output(*command->before, false, [this, old, begin](const Result<void>& removed) {
      if (!removed) return begin(removed);
      auto forget = [old](Deployed& pipeline) -> Result<std::string> {
        std::erase_if(pipeline.versions,
                      [old](const Version& version) { return version.number == old; });
        return "";
      };
      change(forget, [this, old, begin](const Result<std::string>& forgotten) {
        if (forgotten) workers_.erase(old);
        begin(forgotten ? Result<void>() : fail(forgotten));
      });
    });
  });
}

}  // namespace leat::pipeline
