// How client commands reach a cluster, and how any command says what went wrong.
//
// What a cluster refuses, or cannot be asked, is thrown as leat::Exception, up to
// run_command_line(), which tells it. What a command itself finds wrong is a Result.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/error.h"
#include "leat/options.h"

namespace leat::tools {

inline constexpr const char* default_brokers = "127.0.0.1:9092";

/// Options for the cluster that `-b` names.
ClientOptions client_options(const std::string& brokers, std::stop_token stop = {});

/// The names of topics (kind TOPIC) or groups (GROUP) of that cluster, or of pipelines (PIPELINE)
/// or views (VIEW) of that server, or of what the environment or the default names when `where` is
/// empty. Made for a shell that waits: soon, and none where anything is wrong.
std::vector<std::string> list_names(const std::string& kind, const std::string& where);

/// "KEY=VALUE" of `-c`.
Result<std::pair<std::string, std::string>> parse_config(const std::string& text);

/// What `-z` takes.
std::vector<std::string> codec_names();
/// REQUIRES: one of codec_names().
Compression codec_named(const std::string& name);

/// What `work` throws as a Result, for those who have something to finish before they tell it. Of
/// the code only whether it is wrong usage is kept.
Result<void> attempt(const std::function<void()>& work);

/// Tells what went wrong, and gives the exit code for it: wrong usage, or an error.
int fail_command(const Error& error);
int fail_command(const Exception& exception);

}  // namespace leat::tools
