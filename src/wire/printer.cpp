#include "wire/printer.h"

namespace leat::wire {

void Printer::print(const std::string& value) {
  static constexpr char digits[] = "0123456789abcdef";
  out_ += '"';
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out_ += "\\x";
      out_ += digits[byte >> 4];
      out_ += digits[byte & 15];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

void Printer::print(const Records& value) {
  if (value.is_null()) {
    out_ += "null";
  } else {
    print_size(value.size());
  }
}

void Printer::print_size(std::size_t size) {
  out_.append("<").append(std::to_string(size)).append(" bytes>");
}

}  // namespace leat::wire
