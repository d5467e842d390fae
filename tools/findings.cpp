#include "tools/findings.h"

#include <fmt/core.h>

#include "tools/record_json.h"

namespace leat::tools {

void Findings::ok(const std::string& check, const std::string& what) {
  print("ok", check, what, "");
}

void Findings::warn(const std::string& check, const std::string& what, const std::string& advice) {
  ++warnings_;
  print("warn", check, what, advice);
}

void Findings::fail(const std::string& check, const std::string& what, const std::string& advice) {
  ++failures_;
  print("fail", check, what, advice);
}

void Findings::expect(bool good, const std::string& check, const std::string& what,
                      const std::string& advice) {
  if (good) {
    ok(check, what);
  } else {
    warn(check, what, advice);
  }
}

void Findings::print(const char* verdict, const std::string& check, const std::string& what,
                     const std::string& advice) {
  std::string& out = output_.buffer();
  if (is_json_) {
    out += fmt::format("{{\"verdict\":\"{}\",\"check\":\"{}\",\"what\":", verdict, check);
    append_json_text(out, what);
    out += ",\"advice\":";
    append_json_text(out, advice);
    out += "}\n";
  } else {
    constexpr std::size_t check_width = 12;
    out += fmt::format("{:4}  {:{}} {}\n", verdict, check, check_width, what);
    if (!advice.empty()) out += fmt::format("{:{}}  -> {}\n", "", check_width + 5, advice);
  }
  // Each as it is found: the next check may take a while.
  output_.flush();
}

}  // namespace leat::tools
