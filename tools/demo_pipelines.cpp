#include "tools/demo_pipelines.h"

#include <chrono>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "tools/http_api.h"

namespace leat::tools {

namespace {

constexpr const char* root = "/v1/pipelines";
constexpr std::chrono::milliseconds look_again{50};
constexpr std::chrono::seconds patience{30};

std::string text(const plan::Json& json, const char* name) {
  return text_of(member(json, name));
}

}  // namespace

Result<plan::Json> DemoPipelines::get(const std::string& name, const std::string& behind) {
  return HttpApi(stage_.http()).ask("GET", fmt::format("{}/{}{}", root, name, behind));
}

Result<plan::Json> DemoPipelines::post(const std::string& target, const std::string& body) {
  return HttpApi(stage_.http()).ask("POST", root + target, body);
}

Result<void> DemoPipelines::deploy(const plan::Plan& plan) {
  auto answer = post("", plan::print(plan));
  if (!answer) return fail(answer);
  fmt::print("{}\n", text(*answer, "message"));
  return {};
}

Result<plan::Json> DemoPipelines::wait(const std::string& name, const std::string& behind,
                                       const Look& is_done) {
  auto moved_at = std::chrono::steady_clock::now();
  std::string before;
  while (true) {
    auto answer = get(name, behind);
    if (!answer) return fail(answer);
    auto done = is_done(*answer);
    if (!done) return fail(done);
    if (*done) return answer;
    if (text(*answer, "state") == "failed") {
      return fail(Errc::broker_error,
                  fmt::format("pipeline {} has failed: {}", name, text(*answer, "last_error")));
    }
    auto now = std::chrono::steady_clock::now();
    std::string rows = text(*answer, "rows_in");
    if (std::exchange(before, rows) != rows) moved_at = now;
    if (now > moved_at + patience) {
      return fail(Errc::request_timed_out,
                  fmt::format("pipeline {} stands still at {} rows", name, rows));
    }
    if (auto wanted = stage_.check_interrupt(); !wanted) return fail(wanted);
    std::this_thread::sleep_for(look_again);
  }
}

Result<void> DemoPipelines::wait_until_read(const std::string& name) {
  auto done = wait(name, "", [](const plan::Json& pipeline) -> Result<bool> {
    return text(pipeline, "lag_records") == "0" && number_of(member(pipeline, "rows_in")) > 0;
  });
  return done ? Result<void>() : fail(done);
}

Result<plan::Json> DemoPipelines::replay(const std::string& name) {
  auto begun = post("/" + name + "/replay", R"({"from":"start","diff":true})");
  if (!begun) return fail(begun);
  fmt::print("{}\n", text(*begun, "message"));
  std::string version = text(*begun, "version");
  return wait(name, "/replay?version=" + version, [](const plan::Json& replay) -> Result<bool> {
    bool compared = std::holds_alternative<plan::JsonObject>(member(replay, "diff"));
    return is_true(member(replay, "done")) && compared;
  });
}

Result<void> DemoPipelines::promote(const std::string& name, std::uint32_t version) {
  auto begun = post("/" + name + "/promote", fmt::format(R"({{"version":{}}})", version));
  if (!begun) return fail(begun);
  auto live = wait(name, "", [&](const plan::Json& pipeline) -> Result<bool> {
    return text(pipeline, "version") == std::to_string(version);
  });
  if (!live) return fail(live);
  fmt::print("version {} of {} is live\n", version, name);
  return {};
}

}  // namespace leat::tools
