#include "tools/plan_files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/core.h>

#include "plan/bound_plan.h"

namespace leat::tools {

namespace {

tl::unexpected<Error> fail_in(const std::string& path, const Error& error) {
  return fail(error.code, fmt::format("{}: {}", path, with_hint(error.what)));
}

}  // namespace

std::string with_hint(std::string what) {
  if (what.ends_with("without a value")) what += ": say --set NAME=VALUE";
  return what;
}

Result<std::string> read_plan_text(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) {
    return fail(Errc::io_error, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  text << in.rdbuf();
  return text.str();
}

Result<plan::Parameters> parse_parameters(const std::vector<std::string>& assignments) {
  plan::Parameters values;
  for (const std::string& assignment : assignments) {
    if (auto added = plan::add_parameter(values, assignment); !added) {
      return fail(added.error().code, "--set: " + added.error().what);
    }
  }
  return values;
}

PlanFiles::PlanFiles(plan::Parameters values, std::int64_t now_ms)
    : given_(std::move(values)), values_(given_) {
  values_.merge(plan::run_parameters(now_ms));
}

Result<plan::Plan> PlanFiles::read(const std::string& path) {
  auto text = read_plan_text(path);
  if (!text) return fail(text);
  return parse(path, *text);
}

Result<plan::Plan> PlanFiles::parse(const std::string& path, const std::string& text) {
  auto filled = plan::fill_in(text, values_);
  if (!filled) return fail_in(path, filled.error());
  used_.merge(filled->names);
  auto plan = plan::parse(filled->text);
  if (!plan) return fail_in(path, plan.error());
  auto bound = plan::bind(*plan);
  if (!bound) return fail_in(path, bound.error());
  return plan;
}

Result<void> PlanFiles::check_all_used() const {
  for (const auto& [name, value] : given_) {
    if (used_.contains(name)) continue;
    return fail(Errc::invalid_argument,
                fmt::format("--set {}={}: no plan has ${{{}}}", name, value, name));
  }
  return {};
}

}  // namespace leat::tools
