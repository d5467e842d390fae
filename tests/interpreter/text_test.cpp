// Texts: what is expected is what PostgreSQL gives, or its documentation says.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("texts are counted in characters, from 1") {
  check_calls({
      {"length", {"text jose"}, "4"},
      {"length", {"text käse"}, "4"},
      {"length", {"bytes \\x1234"}, "2"},
      {"substring", {"text Thomas", "bigint 2", "bigint 3"}, "hom"},
      {"substring", {"text Thomas", "bigint 3"}, "omas"},
      {"substring", {"text Thomas", "bigint -1", "bigint 4"}, "Th"},
      {"substring", {"text Thomas", "bigint 9"}, ""},
      {"substring",
       {"text Thomas", "bigint 1", "bigint -1"},
       "! negative substring length not allowed"},
      {"substring", {"text Thomas", "bigint 2", "bigint 9223372036854775807"}, "homas"},
      {"position", {"text om", "text Thomas"}, "3"},
      {"position", {"text x", "text Thomas"}, "0"},
      {"position", {"text ", "text Thomas"}, "1"},
      {"position", {"text s", "text käse"}, "3"},
      {"left", {"text abcde", "bigint 2"}, "ab"},
      {"left", {"text abcde", "bigint -2"}, "abc"},
      {"left", {"text abcde", "bigint -9"}, ""},
      {"right", {"text abcde", "bigint 2"}, "de"},
      {"right", {"text abcde", "bigint -2"}, "cde"},
      {"right", {"text abcde", "bigint 9"}, "abcde"},
  });
}

TEST_CASE("texts are changed") {
  check_calls({
      {"lower", {"text TOM Ä"}, "tom Ä"},
      {"upper", {"text tom ä"}, "TOM ä"},
      {"replace", {"text abcdefabcdef", "text cd", "text XX"}, "abXXefabXXef"},
      {"replace", {"text abc", "text ", "text X"}, "abc"},
      {"trim", {"text yxTomxx", "text xyz"}, "Tom"},
      {"ltrim", {"text zzzytest", "text xyz"}, "test"},
      {"rtrim", {"text testxxzx", "text xyz"}, "test"},
      {"trim", {"text   a b  "}, "a b"},
      {"split_part", {"text abc~@~def~@~ghi", "text ~@~", "bigint 2"}, "def"},
      {"split_part", {"text abc,def,ghi,jkl", "text ,", "bigint -2"}, "ghi"},
      {"split_part", {"text abc", "text ,", "bigint 2"}, ""},
      {"split_part", {"text abc", "text ", "bigint 1"}, "abc"},
      {"split_part", {"text abc", "text ,", "bigint 0"}, "! field position must not be zero"},
      {"||", {"text Post", "text greSQL"}, "PostgreSQL"},
      {"||", {"text Post", "text NULL"}, "NULL"},
      {"concat", {"text abcde", "text NULL", "text 22"}, "abcde22"},
      {"lpad", {"text hi", "bigint 5", "text xy"}, "xyxhi"},
      {"rpad", {"text hi", "bigint 5", "text xy"}, "hixyx"},
      {"lpad", {"text hello", "bigint 2"}, "he"},
      {"lpad", {"text hi", "bigint 4"}, "  hi"},
      {"lpad", {"text hi", "bigint -1"}, ""},
      {"lpad", {"text hi", "bigint 5", "text "}, "hi"},
      {"lpad", {"text hi", "bigint 10000000"}, "! requested length too large"},
      {"starts_with", {"text alphabet", "text alph"}, "true"},
      {"starts_with", {"text a", "text alph"}, "false"},
  });
}

TEST_CASE("LIKE matches whole texts") {
  check_calls({
      {"like", {"text abc", "text abc"}, "true"},
      {"like", {"text abc", "text a%"}, "true"},
      {"like", {"text abc", "text _b_"}, "true"},
      {"like", {"text abc", "text c"}, "false"},
      {"like", {"text käse", "text k_se"}, "true"},
      {"like", {"text a%c", "text a\\%c"}, "true"},
      {"like", {"text abc", "text a\\%c"}, "false"},
      {"like", {"text ", "text %"}, "true"},
      {"like", {"text aXbXc", "text a%X%c"}, "true"},
      {"like", {"text abc", "text ABC"}, "false"},
      {"ilike", {"text abc", "text A_C"}, "true"},
      {"like", {"text NULL", "text %"}, "NULL"},
      {"like", {"text abc", "text abc\\"}, "! LIKE pattern must not end with escape character"},
  });
}

TEST_CASE("regular expressions are RE2's") {
  check_calls({
      {"regexp_like", {"text Hello World", "text wor"}, "false"},
      {"regexp_like", {"text Hello World", "text (?i)wor"}, "true"},
      {"regexp_extract", {"text foobar", "text o.b"}, "oob"},
      {"regexp_extract", {"text foobar", "text o(.)b"}, "o"},
      {"regexp_extract", {"text foobar", "text x"}, "NULL"},
      {"regexp_extract", {"text b", "text (a)|b"}, "NULL"},
      {"regexp_replace", {"text foobarbaz", "text b..", "text X"}, "fooXbaz"},
      {"regexp_replace", {"text foobarbaz", "text b..", "text X", "text g"}, "fooXX"},
      {"regexp_replace", {"text foobarbaz", "text B(..)", "text X\\1Y", "text gi"}, "fooXarYXazY"},
      {"regexp_replace",
       {"text a", "text a", "text \\3"},
       "! Rewrite schema requests 3 matches, but the regexp only has 0 parenthesized "
       "subexpressions."},
  });
}

TEST_SUITE_END();
