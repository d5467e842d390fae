// Bytes as texts that can be carried anywhere, and back: hexadecimal and Base64, digests.
#include "expression/optimize.h"

#include <array>
#include <simdjson.h>

#include <fmt/format.h>

#include "expression/made_text.h"
#include "expression/md5.h"
#include "expression/sha2.h"
#include "plan/text_place.h"

namespace leat::expression {

using std::string_view;

namespace {

using Texts = Cells<string_view>;

char* write_hexadecimal(char* out, string_view bytes) {
  constexpr string_view digits = "0123456789abcdef";
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  return out;
}

// ---- Base64 ------------------------------------------------------------------------------------

constexpr string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// PostgreSQL breaks lines there, as mails do.
constexpr std::size_t base64_line = 76;

char* write_base64(char* out, string_view bytes) {
  for (std::size_t at = 0, column = 0; at < bytes.size(); at += 3, column += 4) {
    if (column == base64_line) {
      *out++ = '\n';
      column = 0;
    }
    std::size_t there = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < there ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      *out++ = i <= there ? base64_digits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(string_view digits) {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = no_digit;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// What is behind the bytes; nullptr if the text is none.
char* read_base64(char* out, string_view text) {
  static constexpr auto values = values_of(base64_digits);
  std::uint32_t group = 0;
  int count = 0, padding = 0;
  for (char c : text) {
    if (is_blank(c)) continue;
    if (c == '=') {
      if (count + padding < 2 || count + padding > 3) return nullptr;
      ++padding;
    } else {
      std::uint8_t value = values[static_cast<unsigned char>(c)];
      if (value == no_digit || padding > 0) return nullptr;
      group = group << 6 | value;
      ++count;
    }
    if (count + padding < 4) continue;
    group <<= 6 * padding;
    for (int i = 0; i < 3 - padding; ++i) *out++ = static_cast<char>(group >> (16 - 8 * i));
    if (padding > 0) {
      count = -1;  // nothing may follow
    } else {
      group = 0;
      count = 0;
    }
  }
  return count == 0 || count == -1 ? out : nullptr;
}

char* read_hexadecimal(char* out, string_view text) {
  static constexpr auto values = values_of("0123456789abcdef");
  std::uint32_t byte = 0;
  bool half = false;
  for (char c : text) {
    if (is_blank(c) && !half) continue;
    std::uint8_t value = values[static_cast<unsigned char>(c >= 'A' && c <= 'F' ? c + 32 : c)];
    if (value == no_digit) return nullptr;
    byte = byte << 4 | value;
    if (half) *out++ = static_cast<char>(byte);
    half = !half;
  }
  return half ? nullptr : out;
}

// ---- Kernels -----------------------------------------------------------------------------------

// Sets what `write` makes of the text, which has room for `size(text)` bytes.
template <class Size, class Write>
void write_texts(const Call& call, Size size, Write write) {
  Texts texts(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    char* begin = call.result.texts.reserve(size(texts[row]) + 1);  // never null
    char* end = write(row, begin, texts[row]);
    if (end == nullptr) return;
    auto written = static_cast<std::size_t>(end - begin);
    call.result.texts.keep(written);
    call.out().set_text(row, {begin, written});
  });
}

void encode(const Call& call, bool hexadecimal) {
  auto size = [=](string_view bytes) {
    return hexadecimal ? bytes.size() * 2 : (bytes.size() + 2) / 3 * 4 * 77 / 76 + 1;
  };
  write_texts(call, size, [=](std::uint32_t, char* out, string_view bytes) {
    return hexadecimal ? write_hexadecimal(out, bytes) : write_base64(out, bytes);
  });
}

void decode(const Call& call, bool hexadecimal) {
  auto size = [](string_view text) { return text.size(); };
  write_texts(call, size, [&](std::uint32_t row, char* out, string_view text) {
    char* end = hexadecimal ? read_hexadecimal(out, text) : read_base64(out, text);
    if (end == nullptr) {
      call.errors.add(row, fmt::format("'{}' is no {}", plan::shortened(text, 80),
                                       hexadecimal ? "hexadecimal text" : "Base64"));
    }
    return end;
  });
}

void digest(const Call& call) {
  auto size = [](string_view) { return std::size_t{32}; };
  write_texts(call, size, [](std::uint32_t, char* out, string_view bytes) {
    auto sum = md5(bytes);
    return write_hexadecimal(out, {reinterpret_cast<const char*>(sum.data()), sum.size()});
  });
}

Kernel sha2_kernel(Sha2 digest) {
  return [=](const Call& call) {
    auto size = [](string_view) { return sha2_bytes_max; };
    write_texts(call, size, [=](std::uint32_t, char* out, string_view bytes) {
      return write_sha2(out, digest, bytes);
    });
  };
}

void check_utf8(const Call& call) {
  Texts texts(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (!simdjson::validate_utf8(texts[row].data(), texts[row].size())) {
      return call.errors.add(row, "bytes are no UTF-8");
    }
    call.out().set_text(row, texts[row]);
  });
}

void give_bytes(const Call& call) {
  map<string_view, string_view>(call, [](string_view text) { return text; });
}

}  // namespace

Kernel encoding_kernel(const plan::BoundExpression& call) {
  const std::string& name = call.function;
  if (name == "md5") return digest;
  if (name == "sha224") return sha2_kernel(Sha2::sha224);
  if (name == "sha256") return sha2_kernel(Sha2::sha256);
  if (name == "sha384") return sha2_kernel(Sha2::sha384);
  if (name == "sha512") return sha2_kernel(Sha2::sha512);
  if (name == "convert_from") return check_utf8;
  if (name == "convert_to") return give_bytes;
  if (name != "encode" && name != "decode") return {};
  bool hexadecimal = std::get<std::string>(call.arguments[1].literal) == "hex";
  if (name == "encode") return [=](const Call& each) { encode(each, hexadecimal); };
  return [=](const Call& each) { decode(each, hexadecimal); };
}

}  // namespace leat::expression
