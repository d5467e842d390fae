// Texts that are made of others, their bytes in other forms, and arrays of them.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <re2/re2.h>

#include "interpreter/characters.h"
#include "interpreter/evaluate.h"
#include "interpreter/sha2.h"
#include "plan/text_place.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Characters = std::vector<std::string>;

constexpr std::int64_t repeated_max = 1'000'000;

std::string repeat(const std::string& text, std::int64_t times) {
  if (times <= 0) return "";
  if (Int128{times} * static_cast<std::int64_t>(text.size()) > repeated_max) {
    throw BadValue{"requested length too large"};
  }
  std::string all;
  for (std::int64_t i = 0; i < times && !text.empty(); ++i) all += text;
  return all;
}

std::string reverse(const std::string& text) {
  auto characters = characters_of(text);
  std::string turned;
  for (auto at = characters.rbegin(); at != characters.rend(); ++at) turned += *at;
  return turned;
}

std::string translate(const std::string& text, const Characters& from, const Characters& to) {
  std::string changed;
  for (const auto& character : characters_of(text)) {
    auto at =
        static_cast<std::size_t>(std::find(from.begin(), from.end(), character) - from.begin());
    if (at == from.size())
      changed += character;
    else if (at < to.size())
      changed += to[at];
  }
  return changed;
}

std::string initcap(const std::string& text) {
  std::string changed;
  bool begins = true;
  for (const auto& character : characters_of(text)) {
    changed += begins ? upper(character) : lower(character);
    char c = character[0];
    begins =
        character.size() == 1 && !(c >= '0' && c <= '9') && lower(character) == upper(character);
  }
  return changed;
}

// The bits of a character's bytes that are its code.
std::int64_t code_of(const std::string& text) {
  if (text.empty()) return 0;
  std::string character = characters_of(text)[0];
  constexpr std::array<int, 5> first_bits{0, 0x7f, 0x1f, 0x0f, 0x07};
  std::int64_t code = static_cast<unsigned char>(character[0]) & first_bits[character.size()];
  for (char c : character.substr(1)) code = code * 64 + (static_cast<unsigned char>(c) - 0x80);
  return code;
}

std::string character_of(std::int64_t code) {
  if (code < 0) throw BadValue{"character number must be positive"};
  if (code == 0) throw BadValue{"null character not permitted"};
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    throw BadValue{"requested character not valid for encoding"};
  }
  auto byte = [](std::int64_t value) { return std::string(1, static_cast<char>(value)); };
  auto rest = [&](std::int64_t below) { return byte(0x80 + code / below % 64); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) return byte(0xc0 + code / 64) + rest(1);
  if (code < 0x10000) return byte(0xe0 + code / 4096) + rest(64) + rest(1);
  return byte(0xf0 + code / 262'144) + rest(4096) + rest(64) + rest(1);
}

// ---- Bytes -------------------------------------------------------------------------------------

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string bits_of(const std::string& bytes) {
  std::string bits;
  for (char c : bytes) bits += fmt::format("{:08b}", static_cast<unsigned char>(c));
  return bits;
}

std::string bytes_of(const std::string& bits) {
  std::string bytes;
  for (std::size_t at = 0; at + 8 <= bits.size(); at += 8) {
    bytes += static_cast<char>(std::stoi(bits.substr(at, 8), nullptr, 2));
  }
  return bytes;
}

const std::string base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Six bits a digit, lines of 76.
std::string base64(const std::string& bytes) {
  std::string bits = bits_of(bytes), digits;
  while (bits.size() % 6 != 0) bits += '0';
  for (std::size_t at = 0; at < bits.size(); at += 6) {
    digits += base64_digits[std::stoul(bits.substr(at, 6), nullptr, 2)];
  }
  while (digits.size() % 4 != 0) digits += '=';
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += 76) {
    text += (at > 0 ? "\n" : "") + digits.substr(at, 76);
  }
  return text;
}

std::string from_base64(const std::string& text) {
  auto refuse = [&] { return BadValue{fmt::format("'{}' is no Base64", shortened(text, 80))}; };
  std::string digits, bits;
  for (char c : text) {
    if (std::string(" \t\n\r").find(c) == std::string::npos) digits += c;
  }
  if (digits.size() % 4 != 0) throw refuse();
  std::size_t padding = digits.ends_with("==") ? 2 : digits.ends_with("=") ? 1 : 0;
  digits.resize(digits.size() - padding);
  for (char digit : digits) {
    auto value = base64_digits.find(digit);
    if (value == std::string::npos) throw refuse();
    bits += fmt::format("{:06b}", value);
  }
  return bytes_of(bits);
}

std::string from_hexadecimal(const std::string& text) {
  auto refuse = [&] {
    return BadValue{fmt::format("'{}' is no hexadecimal text", shortened(text, 80))};
  };
  std::string bits;
  for (char c : lower(text)) {
    auto value = std::string("0123456789abcdef").find(c);
    bool between = bits.size() % 8 == 0;
    if (between && std::string(" \t\n\r").find(c) != std::string::npos) continue;
    if (value == std::string::npos) throw refuse();
    bits += fmt::format("{:04b}", value);
  }
  if (bits.size() % 8 != 0) throw refuse();
  return bytes_of(bits);
}

// RFC 1321, word for word.
std::string md5(std::string bytes) {
  std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  bytes += '\x80';
  while (bytes.size() % 64 != 56) bytes += '\0';
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(bits >> (8 * i));
  const int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  std::uint32_t a0 = 0x67452301, b0 = 0xefcdab89, c0 = 0x98badcfe, d0 = 0x10325476;
  for (std::size_t block = 0; block < bytes.size(); block += 64) {
    std::uint32_t a = a0, b = b0, c = c0, d = d0;
    for (std::uint32_t i = 0; i < 64; ++i) {
      std::uint32_t f = 0, g = 0;
      if (i < 16) f = (b & c) | (~b & d), g = i;
      if (i >= 16 && i < 32) f = (d & b) | (~d & c), g = (5 * i + 1) % 16;
      if (i >= 32 && i < 48) f = b ^ c ^ d, g = (3 * i + 5) % 16;
      if (i >= 48) f = c ^ (b | ~d), g = 7 * i % 16;
      std::uint32_t word = 0;
      for (std::size_t k = 4; k-- > 0;) {
        word = word << 8 | static_cast<unsigned char>(bytes[block + 4 * g + k]);
      }
      auto sine = static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 0x1p32));
      f += a + sine + word;
      int turn = turns[i / 16][i % 4];
      a = d, d = c, c = b;
      b += f << turn | f >> (32 - turn);
    }
    a0 += a, b0 += b, c0 += c, d0 += d;
  }
  std::string digest;
  for (std::uint32_t word : {a0, b0, c0, d0}) {
    for (int i = 0; i < 4; ++i) digest += static_cast<char>(word >> (8 * i));
  }
  return hexadecimal(digest);
}

// As RFC 3629 has it: no surrogates, nothing that could be shorter.
bool is_utf8(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    auto first = static_cast<unsigned char>(bytes[at]);
    std::size_t size = first < 0x80   ? 1
                       : first < 0xc0 ? 0
                       : first < 0xe0 ? 2
                       : first < 0xf0 ? 3
                                      : 4;
    if (size == 0 || first > 0xf4 || at + size > bytes.size()) return false;
    std::int64_t code = size == 1 ? first : first & (0xff >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
      auto next = static_cast<unsigned char>(bytes[at + i]);
      if (next < 0x80 || next > 0xbf) return false;
      code = code * 64 + (next - 0x80);
    }
    constexpr std::array<std::int64_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    at += size;
  }
  return true;
}

// ---- Arrays ------------------------------------------------------------------------------------

Array split(const std::string& text, const std::string& separator) {
  Array array;
  if (text.empty()) return array;
  std::size_t at = 0;
  for (std::size_t end; !separator.empty() && (end = text.find(separator, at)) != text.npos;) {
    array.items.push_back(text.substr(at, end - at));
    at = end + separator.size();
  }
  array.items.push_back(text.substr(at));
  return array;
}

std::string join(const Values& items, const std::string& separator) {
  std::string text;
  bool first = true;
  for (const auto& item : items) {
    if (item.is_null()) continue;
    text += (first ? "" : separator) + std::get<std::string>(item);
    first = false;
  }
  return text;
}

Value regexp_match(const std::string& text, const std::string& pattern) {
  RE2 regex(pattern);
  auto groups = static_cast<std::size_t>(regex.NumberOfCapturingGroups());
  std::vector<re2::StringPiece> match(groups + 1);
  if (!regex.Match(text, 0, text.size(), RE2::UNANCHORED, match.data(),
                   static_cast<int>(match.size())))
    return {};
  Array array;
  for (std::size_t i = groups > 0 ? 1 : 0; i < match.size(); ++i) {
    array.items.push_back(match[i].data() == nullptr ? Value() : Value(std::string(match[i])));
  }
  return array;
}

std::optional<Value> bytes_function(const std::string& name, const Call& call) {
  if (name == "md5") return md5(call.text(0));
  if (name.starts_with("sha")) return sha2(call.text(0), std::stoi(name.substr(3)));
  if (name == "octet_length") return static_cast<std::int64_t>(call.text(0).size());
  if (name == "encode") {
    return call.text(1) == "hex" ? hexadecimal(call.text(0)) : base64(call.text(0));
  }
  if (name == "decode") {
    return call.text(1) == "hex" ? from_hexadecimal(call.text(0)) : from_base64(call.text(0));
  }
  if (name == "convert_to") return call.text(0);
  if (name != "convert_from") return {};
  if (!is_utf8(call.text(0))) throw BadValue{"bytes are no UTF-8"};
  return call.text(0);
}

}  // namespace

Value concat_ws(const Values& arguments) {
  if (arguments[0].is_null()) return {};
  return join({arguments.begin() + 1, arguments.end()}, std::get<std::string>(arguments[0]));
}

std::optional<Value> shape_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "repeat") return repeat(call.text(0), call.integer(1));
  if (name == "reverse") return reverse(call.text(0));
  if (name == "initcap") return initcap(call.text(0));
  if (name == "ascii") return code_of(call.text(0));
  if (name == "chr") return character_of(call.integer(0));
  if (name == "translate") {
    return translate(call.text(0), characters_of(call.text(1)), characters_of(call.text(2)));
  }
  if (name == "string_to_array") return split(call.text(0), call.text(1));
  if (name == "array_to_string") {
    return join(std::get<Array>(call.arguments[0]).items, call.text(1));
  }
  if (name == "regexp_match") return regexp_match(call.text(0), call.text(1));
  return bytes_function(name, call);
}

}  // namespace leat::interpreter
