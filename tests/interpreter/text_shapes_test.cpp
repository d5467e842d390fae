// Texts that are made of others. All of this is what PostgreSQL 15 gives, or refuses.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("texts are repeated, turned round and exchanged by characters") {
  check_calls({
      {"repeat", {"text ab", "bigint 3"}, "ababab"},
      {"repeat", {"text ab", "bigint 0"}, ""},
      {"repeat", {"text ab", "bigint -1"}, ""},
      {"repeat", {"text ", "bigint 9223372036854775807"}, ""},
      {"repeat", {"text ab", "bigint 9223372036854775807"}, "! requested length too large"},
      {"reverse", {"text Käse日"}, "日esäK"},
      {"reverse", {"text "}, ""},
      {"translate", {"text 12345", "text 143", "text ax"}, "a2x5"},
      {"translate", {"text aabbc", "text ab", "text ba"}, "bbaac"},
      {"translate", {"text aab", "text aa", "text xy"}, "xxb"},
      {"translate", {"text Käse", "text ä", "text e"}, "Kese"},
      {"translate", {"text abc", "text ", "text x"}, "abc"},
      {"translate", {"text abc", "text b", "text "}, "ac"},
      {"translate", {"text abc", "text b", "text NULL"}, "NULL"},
      {"initcap", {"text hi THOMAS o'neil x2y 3abc foo_bar"}, "Hi Thomas O'Neil X2y 3abc Foo_Bar"},
      {"initcap", {"text kÄSE élan"}, "KÄse élan"},
      {"concat_ws", {"text ,", "text a", "text NULL", "text b"}, "a,b"},
      {"concat_ws", {"text NULL", "text a"}, "NULL"},
      {"concat_ws", {"text ,", "text NULL"}, ""},
      {"concat_ws", {"text ,", "text ", "text "}, ","},
      {"ascii", {"text x"}, "120"},
      {"ascii", {"text "}, "0"},
      {"ascii", {"text 日x"}, "26085"},
      {"chr", {"bigint 228"}, "ä"},
      {"chr", {"bigint 128512"}, "😀"},
      {"chr", {"bigint 0"}, "! null character not permitted"},
      {"chr", {"bigint -1"}, "! character number must be positive"},
      {"chr", {"bigint 1114112"}, "! requested character not valid for encoding"},
      {"chr", {"bigint 55296"}, "! requested character not valid for encoding"},
      {"octet_length", {"text Käse"}, "5"},
      {"octet_length", {"bytes \\xab01"}, "2"},
  });
}

TEST_CASE("bytes are written as texts and read again") {
  check_calls({
      {"md5", {"text "}, "d41d8cd98f00b204e9800998ecf8427e"},
      {"md5", {"text abc"}, "900150983cd24fb0d6963f7d28e17f72"},
      {"md5", {"text Käse"}, "889f9fcced62320cb2bb284aaf7e93f2"},
      {"md5", {"bytes \\x00ff"}, "d07d34efac6328007ad67c7e0a985e00"},
      {"encode", {"bytes \\x00ff61", "text hex"}, "00ff61"},
      {"encode", {"bytes \\x00ff61", "text base64"}, "AP9h"},
      {"encode", {"bytes \\x", "text base64"}, ""},
      {"encode",
       {"bytes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "text base64"},
       "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\nYWFh"},
      {"encode", {"bytes a", "text rot13"}, "'rot13' is no encoding; there are: hex, base64"},
      {"decode", {"text 00FF61", "text hex"}, "\\x00ff61"},
      {"decode", {"text 00 ff 61", "text hex"}, "\\x00ff61"},
      {"decode", {"text 0", "text hex"}, "! '0' is no hexadecimal text"},
      {"decode", {"text 0g", "text hex"}, "! '0g' is no hexadecimal text"},
      {"decode", {"text AP9h", "text base64"}, "\\x00ff61"},
      {"decode", {"text AP\n9h", "text base64"}, "\\x00ff61"},
      {"decode", {"text YQ==", "text base64"}, "\\x61"},
      {"decode", {"text YR==", "text base64"}, "\\x61"},
      {"decode", {"text ", "text base64"}, "\\x"},
      {"decode", {"text YQ", "text base64"}, "! 'YQ' is no Base64"},
      {"decode", {"text YQ=", "text base64"}, "! 'YQ=' is no Base64"},
      {"decode", {"text Y!==", "text base64"}, "! 'Y!==' is no Base64"},
      {"decode", {"text ====", "text base64"}, "! '====' is no Base64"},
      {"convert_from", {"bytes Käse", "text UTF8"}, "Käse"},
      {"convert_from", {"bytes \\xff", "text utf8"}, "! bytes are no UTF-8"},
      {"convert_from", {"bytes a", "text LATIN1"}, "'LATIN1' is no charset; there is: UTF8"},
      {"convert_to", {"text ä", "text UTF8"}, "\\xc3a4"},
  });
}

TEST_CASE("texts become arrays, and these texts again") {
  auto joined = [](const char* function, const char* text, const char* by) {
    auto array = plan::call(function, {literal_of(text), literal_of(by)});
    std::string count = result_of(plan::call("cardinality", {array}));
    return count + " " + result_of(plan::call("array_to_string", {array, literal_of("text |")}));
  };
  CHECK(joined("string_to_array", "text a,b,,c", "text ,") == "4 a|b||c");
  CHECK(joined("string_to_array", "text ", "text ,") == "0 ");
  CHECK(joined("string_to_array", "text abc", "text ") == "1 abc");
  CHECK(joined("string_to_array", "text aXXbXX", "text XX") == "3 a|b|");
  CHECK(joined("string_to_array", "text NULL", "text ,") == "NULL NULL");
  CHECK(joined("regexp_match", "text foobarbequebaz", "text (bar)(beque)") == "2 bar|beque");
  CHECK(joined("regexp_match", "text abc", "text b.") == "1 bc");
  CHECK(joined("regexp_match", "text abc", "text x") == "NULL NULL");
  CHECK(joined("regexp_match", "text ab", "text (a)|(b)") == "2 a");
}

TEST_SUITE_END();
