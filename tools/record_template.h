// The TEMPLATE of `leat consume -f`, in kcat's letters:
//
//   %t topic  %p partition  %o offset  %T timestamp in ms  %k key  %s value  %h headers as k=v,k=v
//   %K %S bytes of key and value, -1 for null   %R bytes of the value as 4 bytes, big-endian
//   %% percent   \n \r \t \\ \xHH
//
// A null key, value or header value is printed as nothing; nothing follows what is not asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/records.h"

namespace leat::tools {

class RecordTemplate {
 public:
  static Result<RecordTemplate> parse(std::string_view text);
  /// Appends `record` to `out`.
  void print(const InRecord& record, std::string& out) const;

 private:
  struct Part {
    char letter = 0;      // of the field; 0 for text
    std::string literal;  // the text
  };
  void add_literal(char c);
  std::vector<Part> parts_;
};

}  // namespace leat::tools
