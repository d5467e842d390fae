// Columns of text, aligned.
#pragma once

#include <string>
#include <vector>

namespace leat::tools {

/// Rows with as many cells as there are names. Names have no blanks, so that the output can be cut
/// into fields.
class Table {
 public:
  explicit Table(std::vector<std::string> names) { rows_.push_back(std::move(names)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace leat::tools
