// The end of a version that is not the live one.
#include <utility>

#include <fmt/format.h>

#include "pipeline/deployment.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

/// The version that still needs what another one has recorded.
const Version* repeater_of(const Deployed& pipeline, std::uint32_t number) {
  for (const Version& version : pipeline.versions) {
    bool repeats = version.role == Role::replay && version.replay && !version.replay->done &&
                   version.replay->repeats == owner_of(pipeline.name, number);
    if (repeats) return &version;
  }
  return nullptr;
}

}  // namespace

Result<std::string> Deployment::end_version(Deployed& pipeline, std::uint32_t number) const {
  Version* version = pipeline.find(number);
  if (version == nullptr || pipeline.dropped) {
    return fail(Errc::not_found, fmt::format("{} has no version {}", name_, number));
  }
  if (version->role == Role::live) {
    return fail(Errc::invalid_request,
                fmt::format("version {} of {} is live: `leat pipeline promote {} VERSION` makes "
                            "another one live first; without --version, `leat pipeline drop {}` "
                            "drops all of it",
                            number, name_, name_, name_));
  }
  if (version->is_of_letters() && !version->replay->done) {
    return fail(Errc::invalid_request,
                fmt::format("version {} of {} has given part of its dead letters again, and how "
                            "far it came is known by it alone: `leat pipeline replay {} "
                            "--dead-letters` goes on with the rest, and forgets it",
                            number, name_, name_));
  }
  if (const Version* other = repeater_of(pipeline, number)) {
    return fail(
        Errc::invalid_request,
        fmt::format("version {} of {} repeats what version {} did: `leat pipeline replay {} "
                    "--version {} --stop` ends that first",
                    other->number, name_, number, name_, other->number));
  }
  version->role = Role::ended;
  version->role_ms = environment_.clock.wall_ms();
  version->promotes = false;
  return "";
}

void Deployment::drop_version(std::uint32_t number, bool with_topics, Done done) {
  enqueue([this, number, with_topics, done = std::move(done)](Next next) mutable {
    auto answer = [this, number, done = std::make_shared<Done>(std::move(done)),
                   next = std::make_shared<Next>(std::move(next))](Result<std::string> said,
                                                                   bool has_ended) {
      if (said) {
        (*done)(JsonObject{{"message", std::move(*said)}});
      } else if (has_ended) {
        (*done)(fail(said.error().code,
                     fmt::format("version {} of {} has ended, but not all of it could be removed: "
                                 "{}. `leat pipeline drop {} --version {}` tries again",
                                 number, name_, said.error().what, name_, number)));
      } else {
        (*done)(fail(said));
      }
      (*next)();
    };
    auto forget = [this, number, with_topics](Deployed& pipeline) -> Result<std::string> {
      const Version& version = *pipeline.find(number);
      bool has_written = version.replay || !version.stints.empty();
      auto topics = has_written ? shadow_topics(version) : std::vector<std::string>();
      std::erase_if(pipeline.versions,
                    [number](const Version& other) { return other.number == number; });
      std::string said = fmt::format("dropped version {} of {}", number, name_);
      if (topics.empty()) return said;
      const char* fate = with_topics ? ", and" : "; what it wrote stays, in";
      return fmt::format("{}{} {}", said, fate, fmt::join(topics, ", "));
    };
    // Ended first: what a crash leaves of it is seen, and can be dropped again.
    auto end = [this, number](Deployed& pipeline) { return end_version(pipeline, number); };
    change(end, [this, number, with_topics, forget, answer](const Result<std::string>& ended) {
      if (!ended) return answer(fail(ended), false);
      remove_output(*record()->find(number), with_topics,
                    [this, forget, answer](const Result<void>& removed) {
                      if (!removed) return answer(fail(removed), true);
                      change(forget,
                             [answer](Result<std::string> said) { answer(std::move(said), true); });
                    });
    });
  });
}

}  // namespace leat::pipeline
