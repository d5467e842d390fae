// leat doctor: says what is wrong with a server or a data directory, and what to do.
#include "tools/doctor.h"

#include <memory>

#include <fmt/core.h>

#include "base/logging.h"
#include "tools/commands.h"

namespace leat::tools {

namespace {

int doctor(const DoctorOptions& options) {
  set_log_level(LogLevel::none);  // the findings say it all
  Findings findings(options.format == "json");
  if (options.data) {
    check_directory(*options.data, findings);
  } else {
    check_server(options, findings);
  }
  fmt::print(stderr, "{} failed, {} to be looked at\n", findings.failures(), findings.warnings());
  return findings.failures() > 0 ? exit_error : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<DoctorOptions>();
  arguments.brokers(options->brokers);
  arguments.option("--http HOST:PORT", options->http,
                   "Where the server answers HTTP (default: port 8080 where -b is)");
  arguments.option("-d,--data DIR", options->data, "Look at this directory, not at a server");
  arguments.format(options->format);
  arguments.run([options] { return doctor(*options); });
}

}  // namespace

const Command doctor_command{
    "doctor", "Says what is wrong with a server or a data directory, and what to do",
    "  leat doctor                              the server at 127.0.0.1:9092\n"
    "  leat doctor -b broker.lan:9092 --http broker.lan:8080\n"
    "  leat doctor --data /var/lib/leat         the directory and the disk under it; quick, it\n"
    "                                           reads no records (leat fsck does)\n"
    "The exit code is 1 if a check failed; warnings leave it at 0.",
    declare};

}  // namespace leat::tools
