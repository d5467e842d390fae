#include "tools/record_template.h"

#include <doctest/doctest.h>

#include "tools/test_records.h"

namespace leat::tools {
namespace {

using namespace std::string_literals;

const TestRecord full{1000, "key", "value", {{"a", "1"}, {"b", std::nullopt}}};
const TestRecord empty{-1, std::nullopt, std::nullopt, {}};

/// What `text` prints of `record`, which is at offset 7 of orders/3, or "error".
std::string printed(std::string_view text, const TestRecord& record) {
  auto parsed = RecordTemplate::parse(text);
  if (!parsed) return "error";
  std::string out;
  with_record(record, 7, [&](const InRecord& read) { parsed->print(read, out); });
  return out;
}

TEST_SUITE_BEGIN("tools");

TEST_CASE("a template prints what its letters stand for") {
  CHECK(printed("%t/%p@%o", full) == "orders/3@7");
  CHECK(printed("%T %k=%s", full) == "1000 key=value");
  CHECK(printed("%K %S", full) == "3 5");
  CHECK(printed("%R", full) == "\0\0\0\5"s);
  CHECK(printed("%h", full) == "a=1,b=");
  CHECK(printed("100%% %s.", full) == "100% value.");
}

TEST_CASE("a template prints nothing for null, and its size as -1") {
  CHECK(printed("[%k][%s][%h]", empty) == "[][][]");
  CHECK(printed("%K %S", empty) == "-1 -1");
  CHECK(printed("%R", empty) == "\xff\xff\xff\xff");
}

TEST_CASE("a template knows escapes") {
  CHECK(printed("a\\tb\\n\\r\\\\\\x41\\x0a", full) == "a\tb\n\r\\A\n");
  CHECK(printed("\\x00", full) == "\0"s);
}

TEST_CASE("a template with a letter or an escape that does not exist is refused") {
  for (const char* text : {"%", "%z", "%s%", "\\", "\\q", "\\x4", "\\xg0"})
    CHECK_MESSAGE(printed(text, full) == "error", text);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
