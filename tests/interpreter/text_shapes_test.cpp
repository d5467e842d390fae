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

TEST_CASE("digests of SHA-2 are those of PostgreSQL") {
  check_calls({
      {"sha224",
       {"bytes \\x616263"},
       "\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"sha224", {"bytes \\x"}, "\\xd14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"},
      {"sha256",
       {"bytes \\x616263"},
       "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"sha256",
       {"bytes \\x"},
       "\\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"sha384",
       {"bytes \\x616263"},
       "\\xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca1"
       "34c825a7"},
      {"sha384",
       {"bytes \\x"},
       "\\x38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f1"
       "4898b95b"},
      {"sha512",
       {"bytes \\x616263"},
       "\\xddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
       "a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {"sha512",
       {"bytes \\x"},
       "\\xcf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2"
       "877eec2f63b931bd47417a81a538327af927da3e"},
      {"sha256",
       {"text Käse"},
       "\\xf9eeb52c9bc41ee560ba93468b92317220be4939954e8b50591b8b71accc53ae"},
      {"sha512", {"text NULL"}, "NULL"},
  });
}

TEST_CASE("digests of SHA-2 are right where a text ends near a block's end") {
  struct Row {
    const char* function;
    std::size_t letters;
    const char* begin;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"sha224", 1, "abd37534c7d9a2ef"},    {"sha224", 55, "fb0bd626a70c2854"},
           {"sha224", 56, "d40854fc9caf1720"},   {"sha224", 63, "1d4e051f4d6fed2a"},
           {"sha224", 64, "a88cd5cde6d6fe91"},   {"sha224", 111, "4aeec1a49b2c1bc6"},
           {"sha224", 112, "0336b66821946e7f"},  {"sha224", 119, "e000e6709d26667b"},
           {"sha224", 120, "66924e30a9929327"},  {"sha224", 128, "39873a2441c56608"},
           {"sha224", 1000, "4e8f0ce90b64661a"}, {"sha256", 1, "ca978112ca1bbdca"},
           {"sha256", 55, "9f4390f8d30c2dd9"},   {"sha256", 56, "b35439a4ac6f0948"},
           {"sha256", 63, "7d3e74a05d7db15b"},   {"sha256", 64, "ffe054fe7ae0cb6d"},
           {"sha256", 111, "6374f73208854473"},  {"sha256", 112, "f54353008a255326"},
           {"sha256", 119, "31eba51c313a5c08"},  {"sha256", 120, "2f3d335432c70b58"},
           {"sha256", 128, "6836cf13bac400e9"},  {"sha256", 1000, "41edece42d63e8d9"},
           {"sha384", 1, "54a59b9f22b0b808"},    {"sha384", 55, "5d91ac7e74e62b5c"},
           {"sha384", 56, "8a8d9649ea04e993"},   {"sha384", 63, "7e7f097e95b52bb8"},
           {"sha384", 64, "2e404b9339da7957"},   {"sha384", 111, "3c37955051cb5c30"},
           {"sha384", 112, "187d4e07cb306103"},  {"sha384", 119, "c2fbb1911d6889e3"},
           {"sha384", 120, "ca2f7755efa04d43"},  {"sha384", 128, "edb12730a366098b"},
           {"sha384", 1000, "f54480689c6b0b11"}, {"sha512", 1, "1f40fc92da241694"},
           {"sha512", 55, "b0220c772cbf6c18"},   {"sha512", 56, "962b64aae357d2a4"},
           {"sha512", 63, "c1b0f5c6d3b03dfe"},   {"sha512", 64, "01d35c10c6c38c2d"},
           {"sha512", 111, "fa9121c7b32b9e01"},  {"sha512", 112, "c01d080efd492776"},
           {"sha512", 119, "130396a75cb483f2"},  {"sha512", 120, "f241de612b01aa2f"},
           {"sha512", 128, "b73d1929aa615934"},  {"sha512", 1000, "67ba5535a46e3f86"}}) {
    CAPTURE(row.function);
    CAPTURE(row.letters);
    auto text = literal_of("text " + std::string(row.letters, 'a'));
    CHECK(result_of(plan::call(row.function, {text})).substr(2, 16) == row.begin);
  }
}

TEST_SUITE_END();
