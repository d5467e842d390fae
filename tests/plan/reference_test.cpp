// docs/plans.md has all of the language: every type of node, field with its default, function,
// aggregate and cast, and nothing that is not there any more.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan/enum_names.h"
#include "plan/functions.h"
#include "plan/plan.h"
#include "repository.h"

TEST_SUITE_BEGIN("plan");

namespace leat::plan {

namespace {

using Lines = std::vector<std::string>;
using Names = std::set<std::string>;

Lines lines_of(const std::string& path) {
  std::ifstream in(repository_path(path));
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What is under that heading, up to the next one; of level two also what its own ones have.
Lines section_of(const Lines& document, const std::string& title) {
  Lines section;
  std::size_t level = 0;
  for (const auto& line : document) {
    std::size_t marks = line.find_first_not_of('#');
    bool is_heading = marks != 0 && marks != line.npos && line[marks] == ' ';
    if (is_heading && level > 0 && (level != 2 || marks <= level)) break;
    if (is_heading && line.substr(marks + 1) == title) level = marks;
    if (level > 0) section.push_back(line);
  }
  return section;
}

struct Row {
  std::string name;
  std::string text;  // all of it
  std::string otherwise;
};

constexpr std::string_view field_header = "| field | type | default | meaning |";

/// The rows of the first table of fields there.
std::vector<Row> fields_in(const Lines& section) {
  std::vector<Row> rows;
  auto line = std::find(section.begin(), section.end(), field_header);
  if (line == section.end()) return rows;
  for (line += 2; line != section.end() && line->starts_with("| `"); ++line) {
    Lines cells;
    std::istringstream in(*line);
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
    Row row{line->substr(3, line->find('`', 3) - 3), *line, cells.size() > 3 ? cells[3] : ""};
    rows.push_back(std::move(row));
  }
  return rows;
}

/// "- `lower(text)`: ..." is of lower.
Names calls_in(const Lines& section) {
  Names names;
  for (const auto& line : section) {
    if (line.starts_with("- `")) names.insert(line.substr(3, line.find('(') - 3));
  }
  return names;
}

/// Under which heading the fields of a struct are that is part of a node.
template <class T>
constexpr std::string_view title = T::type;
template <>
constexpr std::string_view title<Mode> = "Mode";
template <>
constexpr std::string_view title<BadRows> = "Records that are no rows";
template <>
constexpr std::string_view title<SourceColumn> = "A column of a source";
template <>
constexpr std::string_view title<NamedExpression> = "A column of a projection";
template <>
constexpr std::string_view title<WindowShape> = "The shape of a window";
template <>
constexpr std::string_view title<Frame> = "A frame";
template <>
constexpr std::string_view title<Ordering> = "An ordering";
template <>
constexpr std::string_view title<JoinKey> = "A join's key";
template <>
constexpr std::string_view title<Aggregate> = "Aggregates";

std::string shown(const std::string& text) {
  return text.empty() ? "`\"\"`" : "`" + text + "`";
}
std::string shown(bool truth) {
  return truth ? "`true`" : "`false`";
}
std::string shown(std::int64_t number) {
  return fmt::format("`{}`", number);
}
template <class T>
std::string shown([[maybe_unused]] const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (value) return shown(*value);
  }
  return "–";
}
template <class T>
requires std::is_enum_v<T> std::string shown(T value) {
  return fmt::format("`{}`", names_of(T{})[static_cast<std::size_t>(value)]);
}
template <class T>
requires(std::is_class_v<T>) std::string shown(const T&) {
  return "–";
}

/// A visitor of fields() that looks each field up.
class FieldCheck {
 public:
  explicit FieldCheck(const Lines& document) : document_(document) {}

  template <class T>
  void check() {
    std::string heading(title<T>);
    if (!seen_.insert(heading).second) return;
    FieldCheck within(document_);
    within.seen_ = seen_;
    within.heading_ = heading;
    within.rows_ = fields_in(section_of(document_, heading));
    T value;
    T::fields(value, within);
    for (const auto& row : within.rows_) {
      if (!within.names_.contains(row.name)) within.complain(row.name + " is no field");
    }
    complaints.insert(complaints.end(), within.complaints.begin(), within.complaints.end());
  }

  template <class T>
  void required(std::string_view name, T& member) {
    look_up(name, member, "required");
  }
  template <class T>
  void optional(std::string_view name, T& member, const std::type_identity_t<T>& otherwise) {
    look_up(name, member, shown(otherwise));
  }

  Lines complaints;

 private:
  void complain(const std::string& what) { complaints.push_back(heading_ + ": " + what); }

  template <class T>
  void look_up(std::string_view name, T& member, const std::string& otherwise) {
    names_.emplace(name);
    auto row = std::find_if(rows_.begin(), rows_.end(),
                            [&](const Row& each) { return each.name == name; });
    if (row == rows_.end()) return complain(fmt::format("{} is missing", name));
    if (row->otherwise != " " + otherwise + " ") {
      complain(fmt::format("{} is {} where it is left out", name, otherwise));
    }
    if constexpr (std::is_enum_v<T>) {
      for (auto word : names_of(T{})) {
        if (row->text.find(fmt::format("`{}`", word)) == row->text.npos)
          complain(fmt::format("{} can be {}", name, word));
      }
    }
    look_into(member);
  }
  template <class T>
  void look_into(T&) {
    if constexpr (requires(T value, FieldCheck visit) { T::fields(value, visit); }) check<T>();
  }
  template <class T>
  void look_into(std::optional<T>&) {
    T value;
    look_into(value);
  }
  template <class T>
  void look_into(std::vector<T>&) {
    T value;
    look_into(value);
  }

  const Lines& document_;
  std::string heading_;
  std::vector<Row> rows_;
  Names names_;
  Names seen_;
};

template <std::size_t... index>
void check_nodes(FieldCheck& check, std::index_sequence<index...>) {
  (check.check<std::variant_alternative_t<index, Node::Body>>(), ...);
}

void compare(const std::string& where, const Names& wanted, const Names& there, Lines& complaints) {
  for (const auto& name : wanted) {
    if (!there.contains(name)) complaints.push_back(where + ": " + name + " is missing");
  }
  for (const auto& name : there) {
    if (!wanted.contains(name)) complaints.push_back(where + ": there is no " + name);
  }
}

Names names_in(std::span<const Signature> table) {
  Names names;
  for (const auto& row : table) names.emplace(row.name);
  return names;
}

/// What a plan itself can have, as the message says that refuses something else.
Names plan_fields() {
  auto refused = parse(R"({"version": 1, "name": "x", "nodes": [], "other": 1})");
  REQUIRE(!refused);
  std::string list = refused.error().what;
  list = list.substr(list.find("there are: ") + std::string("there are: ").size());
  Names names;
  for (auto at = list.find(", "); at != list.npos; at = list.find(", ")) {
    names.insert(list.substr(0, at));
    list = list.substr(at + 2);
  }
  names.insert(list);
  return names;
}

void check_casts(const Lines& document, Lines& complaints) {
  std::vector<Type> types;
  for (int kind = 0; kind <= static_cast<int>(Type::Kind::interval); ++kind) {
    Type type{static_cast<Type::Kind>(kind)};
    types.push_back(type.kind == Type::Kind::decimal ? decimal(10, 2) : type);
  }
  auto word_of = [](const Type& type) { return name(type).substr(0, name(type).find('(')); };
  Lines section = section_of(document, "Casts");
  for (const auto& from : types) {
    std::string begin = "| " + word_of(from) + " | ";
    auto row = std::find_if(section.begin(), section.end(),
                            [&](const std::string& line) { return line.starts_with(begin); });
    std::string to_all = row == section.end() ? "" : " " + row->substr(begin.size());
    for (const auto& to : types) {
      if (from.kind == to.kind) continue;
      bool said = to_all.find(" " + word_of(to)) != to_all.npos;
      if (said != can_cast(from, to)) {
        complaints.push_back("Casts: " + word_of(from) + " to " + word_of(to));
      }
    }
  }
}

Lines complaints_about(const Lines& document) {
  FieldCheck check(document);
  check_nodes(check, std::make_index_sequence<node_types>());
  check.check<Mode>();
  Lines complaints = check.complaints;
  Names of_plan;
  for (const auto& row : fields_in(section_of(document, "The plan"))) of_plan.insert(row.name);
  compare("The plan", plan_fields(), of_plan, complaints);
  compare("Functions", names_in(functions()), calls_in(section_of(document, "Functions")),
          complaints);
  compare("Aggregates", names_in(aggregates()), calls_in(section_of(document, "Aggregates")),
          complaints);
  check_casts(document, complaints);
  return complaints;
}

}  // namespace

TEST_CASE("The reference of plans has every node, field, function, aggregate and cast") {
  Lines document = lines_of("docs/plans.md");
  REQUIRE(!document.empty());
  Lines complaints = complaints_about(document);
  INFO(fmt::format("{}", fmt::join(complaints, "\n")));
  CHECK(complaints.empty());
}

TEST_CASE("A field, a function or an aggregate that is taken out of the reference is missed") {
  const Lines document = lines_of("docs/plans.md");
  Lines functions = section_of(document, "Functions");
  Lines aggregates = section_of(document, "Aggregates");
  functions.insert(functions.end(), aggregates.begin(), aggregates.end());
  std::size_t taken_out = 0;
  bool in_fields = false;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const std::string& line = document[i];
    if (line == field_header) in_fields = true;
    if (!line.starts_with('|')) in_fields = false;
    bool is_field = in_fields && line.starts_with("| `");
    bool is_call = line.starts_with("- `") &&
                   std::find(functions.begin(), functions.end(), line) != functions.end();
    if (!is_field && !is_call) continue;
    Lines without = document;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    INFO(line);
    CHECK(!complaints_about(without).empty());
    ++taken_out;
  }
  CHECK(taken_out > functions.size() / 2);
}

TEST_CASE("A default that the reference gives wrongly is seen, and so is a word left out") {
  auto changed = [](const std::string& from, const std::string& to) {
    Lines document = lines_of("docs/plans.md");
    std::size_t changes = 0;
    for (auto& line : document) {
      if (!line.starts_with("| `")) continue;
      auto at = line.find(from);
      if (at == line.npos) continue;
      line.replace(at, from.size(), to);
      ++changes;
    }
    CHECK(changes > 0);
    return complaints_about(document);
  };
  CHECK(!changed("`30000`", "`10000`").empty());
  CHECK(!changed("`as_of`", "that").empty());
}

}  // namespace leat::plan

TEST_SUITE_END();
