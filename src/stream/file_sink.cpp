#include "stream/file_sink.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "column/cell_text.h"
#include "column/row_key.h"
#include "stream/replaced_folder.h"

namespace leat::stream {

namespace {

constexpr std::string_view null_name = "__HIVE_DEFAULT_PARTITION__";

std::vector<std::size_t> columns_in_files(const plan::BoundNode& sink) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < sink.schema.size(); ++i) {
    bool in_name = std::find(sink.columns.begin(), sink.columns.end(), i) != sink.columns.end();
    if (!in_name) columns.push_back(i);
  }
  return columns;
}

bool is_plain(char c) {
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '+';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += hex[byte >> 4];
  out += hex[byte & 15];
}

void append_name(std::string& out, std::string_view text) {
  for (char c : text) {
    if (is_plain(c))
      out += c;
    else
      append_escaped(out, c);
  }
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// Where what is prepared waits.
struct EpochOfFiles {
  std::uint32_t version = 0;
  std::uint64_t epoch = 0;
};

std::string commit_name(std::uint32_t version, std::uint64_t epoch) {
  return fmt::format("commit-{}-{}", version, epoch);
}

std::optional<EpochOfFiles> epoch_in(std::string_view name) {
  EpochOfFiles of;
  constexpr std::string_view begins = "commit-";
  if (!name.starts_with(begins)) return {};
  const char* end = name.data() + name.size();
  auto version = std::from_chars(name.data() + begins.size(), end, of.version);
  if (version.ec != std::errc() || version.ptr == end || *version.ptr != '-') return {};
  auto epoch = std::from_chars(version.ptr + 1, end, of.epoch);
  if (epoch.ec != std::errc() || epoch.ptr != end) return {};
  return of;
}

std::string joined(const std::string& a, const std::string& b) {
  return b.empty() ? a : a.empty() ? b : a + "/" + b;
}

}  // namespace

std::string folder_name(const std::string& column, std::string_view value) {
  std::string name;
  append_name(name, column);
  name += '=';
  // NULL's own name means nothing else.
  bool taken = value == null_name;
  if (taken) append_escaped(name, value[0]);
  append_name(name, value.substr(taken ? 1 : 0));
  return name;
}

FileSink::FileSink(const plan::BoundNode& node, file::FileSystem& files, const Options& options)
    : schema_(node.schema),
      split_by_(node.columns),
      replaced_by_(std::get<plan::Sink>(node.node->body).replace.size()),
      csv_(std::get<plan::Sink>(node.node->body).format == plan::Sink::Format::csv),
      root_(without_slashes(std::get<plan::Sink>(node.node->body).files)),
      files_(files),
      options_(options),
      objects_(node.schema, columns_in_files(node)),
      lines_(node.schema, columns_in_files(node)) {}

Result<std::unique_ptr<FileSink>> FileSink::open(const plan::BoundNode& node,
                                                 file::FileSystem& files, const std::string& owner,
                                                 const Options& options) {
  std::unique_ptr<FileSink> sink(new FileSink(node, files, options));
  if (auto ok = sink->make_directories(sink->inside()); !ok) return fail(ok);
  // Who made them may have died before they were durable.
  for (const auto& directory : {sink->root_, parent_of(sink->root_)}) {
    if (auto ok = files.sync_directory(directory); !ok) return fail(ok);
  }
  auto lock = files.lock(sink->inside(), owner);
  if (!lock) return fail(lock);
  sink->lock_ = std::move(*lock);
  if (auto ok = sink->clean_up(); !ok) return fail(ok);
  return sink;
}

// Makes a directory and those above it, so that they are there after a crash.
Result<void> FileSink::make_directories(const std::string& path) {
  auto exists = files_.exists(path);
  if (!exists) return fail(exists);
  if (*exists) return {};
  std::string parent = parent_of(path);
  if (parent != "." && parent != "/") {
    if (auto ok = make_directories(parent); !ok) return ok;
  }
  if (auto ok = files_.make_directories(path); !ok) return ok;
  return files_.sync_directory(parent);
}

// Finishes what a run before left, or takes it away.
Result<void> FileSink::clean_up() {
  auto changed = clean_up_epochs();
  if (!changed) return fail(changed);
  auto complete = files_.exists(committed());
  if (!complete) return fail(complete);
  if (*complete) {
    if (auto ok = put_in_place(committed(), ""); !ok) return ok;
  }
  auto begun = files_.exists(writing());
  if (!begun) return fail(begun);
  if (*begun) {
    if (auto ok = files_.remove_all(writing()); !ok) return ok;
  }
  return *changed || *begun ? files_.sync_directory(inside()) : Result<void>();
}

// The same for what was prepared; whether something was taken away.
Result<bool> FileSink::clean_up_epochs() {
  auto entries = files_.list(inside());
  if (!entries) return fail(entries);
  bool changed = false;
  for (const auto& entry : *entries) {
    auto of = epoch_in(entry.name);
    if (!of) continue;
    std::string path = inside() + "/" + entry.name;
    if (!options_.epochs || of->version != options_.epochs->version) {
      return fail(Errc::locked,
                  fmt::format("{} has what version {} of a pipeline has not shown yet: let that "
                              "version start once, or remove it",
                              path, of->version));
    }
    bool shows = options_.epochs->committed(of->epoch);
    auto ok = shows ? put_in_place(path, infix_of(of->epoch)) : files_.remove_all(path);
    if (!ok) return fail(ok);
    changed = true;
  }
  return changed;
}

Result<std::string> FileSink::path_of(const column::Chunk& chunk, std::uint32_t row) const {
  std::string path, value;
  for (std::size_t number : split_by_) {
    const column::Vector& cells = *chunk.columns[number];
    std::string name;
    if (cells.is_null(row)) {
      name = folder_name(schema_[number].name, "") + std::string(null_name);
    } else {
      value.clear();
      column::append_cell_text(value, cells, row);
      name = folder_name(schema_[number].name, value);
    }
    constexpr std::size_t name_max = 255;
    if (name.size() > name_max) {
      return fail(Errc::bad_record,
                  fmt::format("'{:.60}…' is too long for the name of a folder", value));
    }
    path = joined(path, name);
  }
  return path;
}

Result<std::size_t> FileSink::folder_of(const column::Chunk& chunk, std::uint32_t row) {
  key_.clear();
  for (std::size_t number : split_by_) column::append_key(key_, *chunk.columns[number], row);
  std::size_t known = folders_.size();
  std::size_t number = table_.find_or_add(key_);
  if (number < known && !folders_[number].refused) return number;
  auto path = path_of(chunk, row);
  if (number == known) folders_.emplace_back();
  Folder& folder = folders_[number];
  folder.refused = !path;
  if (!path) return fail(path);
  folder.path = std::move(*path);
  if (csv_) {
    lines_.append_names(folder.rows);
    folder.rows += '\n';
    buffered_ += folder.rows.size();
  }
  return number;
}

Result<void> FileSink::append_row(const column::Chunk& chunk, std::uint32_t row) {
  auto number = folder_of(chunk, row);
  if (!number) return fail(number);
  Folder& folder = folders_[*number];
  std::size_t before = folder.rows.size();
  if (csv_)
    lines_.append(folder.rows, chunk, row);
  else
    objects_.append(folder.rows, chunk, row);
  folder.rows += '\n';
  buffered_ += folder.rows.size() - before;
  unprepared_bytes_ += folder.rows.size() - before;
  if (folder.rows.size() >= options_.folder_bytes) return flush(folder);
  return buffered_ >= options_.buffer_bytes ? flush_all() : Result<void>();
}

Result<void> FileSink::write(const column::Chunk& chunk) {
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    if (auto ok = append_row(chunk, chunk.selection[i]); !ok) return ok;
  }
  return {};
}

Result<void> FileSink::flush(Folder& folder) {
  if (folder.rows.empty()) return {};
  std::string directory = joined(writing(), folder.path);
  if (folder.written == 0) {
    if (auto ok = files_.make_directories(directory); !ok) return ok;
  }
  auto file = files_.open(directory + "/" + file_name(), file::OpenMode::create);
  if (!file) return fail(file);
  BytesView rows = as_bytes(folder.rows);
  if (auto ok = (*file)->write_at(folder.written, {&rows, 1}); !ok) return ok;
  folder.written += folder.rows.size();
  buffered_ -= folder.rows.size();
  folder.rows = {};
  return {};
}

Result<void> FileSink::flush_all() {
  for (auto& folder : folders_) {
    if (auto ok = flush(folder); !ok) return ok;
  }
  return {};
}

// Makes durable all that is in `writing`.
Result<void> FileSink::sync_written() {
  constexpr std::size_t together = 256;
  std::vector<file::FilePtr> open;
  auto sync_open = [&]() -> Result<void> {
    for (auto& synced : files_.sync_all(open)) {
      if (!synced) return synced;
    }
    open.clear();
    return {};
  };
  std::set<std::string, std::greater<>> directories;  // the deeper ones first
  for (const auto& folder : folders_) {
    if (folder.written == 0) continue;
    std::string directory = joined(writing(), folder.path);
    auto file = files_.open(directory + "/" + file_name(), file::OpenMode::read_write);
    if (!file) return fail(file);
    open.push_back(std::move(*file));
    for (; directory != writing(); directory = parent_of(directory)) directories.insert(directory);
    if (open.size() < together) continue;
    if (auto ok = sync_open(); !ok) return ok;
  }
  if (auto ok = sync_open(); !ok) return ok;
  directories.insert(writing());
  for (const auto& directory : directories) {
    if (auto ok = files_.sync_directory(directory); !ok) return ok;
  }
  return {};
}

// Moves what is committed in the folder `below` to its place; again, if some has been moved. That
// may not be durable yet even where nothing is left to move.
Result<void> FileSink::move(const std::string& commit, const std::string& below,
                            const std::string& infix) {
  std::string from = joined(commit, below);
  std::string to = joined(root_, below);
  auto entries = files_.list(from);
  if (!entries) return fail(entries);
  if (auto ok = remove_unlisted(files_, from, to); !ok) return ok;
  if (auto ok = make_directories(to); !ok) return ok;
  for (const auto& entry : *entries) {
    if (entry.name == manifest_name) continue;
    if (entry.is_directory) {
      if (auto ok = move(commit, joined(below, entry.name), infix); !ok) return ok;
      continue;
    }
    auto dot = entry.name.find('.');
    std::string name = entry.name.substr(0, dot) + infix + entry.name.substr(dot);
    if (auto ok = files_.rename(from + "/" + entry.name, to + "/" + name); !ok) return ok;
  }
  return files_.sync_directory(to);
}

Result<void> FileSink::put_in_place(const std::string& commit, const std::string& infix) {
  if (auto ok = move(commit, "", infix); !ok) return ok;
  if (auto ok = files_.remove_all(commit); !ok) return ok;
  return files_.sync_directory(inside());
}

// Of the folders that are replaced as a whole.
Result<void> FileSink::write_manifests() {
  bool replaces = !options_.epochs || options_.epochs->replaces;
  if (replaced_by_ == 0 || !replaces) return {};
  std::map<std::string, std::vector<std::string>> replaced;
  for (const auto& folder : folders_) {
    if (folder.written == 0) continue;
    std::size_t end = 0;
    for (std::size_t i = 0; i < replaced_by_; ++i) {
      end = std::min(folder.path.find('/', end + 1), folder.path.size());
    }
    std::string below = folder.path.substr(std::min(end + 1, folder.path.size()));
    replaced[folder.path.substr(0, end)].push_back(joined(below, file_name()));
  }
  for (const auto& [path, paths] : replaced) {
    if (auto ok = write_manifest(files_, joined(writing(), path), paths); !ok) return ok;
  }
  return {};
}

Result<bool> FileSink::finish_writing() {
  if (auto ok = flush_all(); !ok) return fail(ok);
  bool any = std::any_of(folders_.begin(), folders_.end(),
                         [](const Folder& folder) { return folder.written > 0; });
  if (!any) return false;
  if (auto ok = write_manifests(); !ok) return fail(ok);
  if (auto ok = sync_written(); !ok) return fail(ok);
  folders_.clear();
  table_.clear();
  unprepared_bytes_ = 0;
  return true;
}

Result<void> FileSink::commit() {
  auto any = finish_writing();
  if (!any) return fail(any);
  if (!*any) return {};
  // Behind the next two lines all of it counts.
  if (auto ok = files_.rename(writing(), committed()); !ok) return ok;
  if (auto ok = files_.sync_directory(inside()); !ok) return ok;
  return put_in_place(committed(), "");
}

Result<bool> FileSink::prepare(std::uint64_t epoch) {
  ASSERT(options_.epochs && !prepared_);
  auto any = finish_writing();
  if (!any || !*any) return any;
  std::string commit = commit_name(options_.epochs->version, epoch);
  if (auto ok = files_.rename(writing(), inside() + "/" + commit); !ok) return fail(ok);
  if (auto ok = files_.sync_directory(inside()); !ok) return fail(ok);
  prepared_ = epoch;
  return true;
}

Result<void> FileSink::publish() {
  if (!prepared_) return {};
  std::string commit = commit_name(options_.epochs->version, *prepared_);
  if (auto ok = put_in_place(inside() + "/" + commit, infix_of(*prepared_)); !ok) return ok;
  prepared_.reset();
  return {};
}

// What files are called besides their folder's name for them.
std::string FileSink::infix_of(std::uint64_t epoch) const {
  if (options_.epochs->replaces) return "";
  return fmt::format("-{}-{}", options_.epochs->version, epoch);
}

}  // namespace leat::stream
