#include "log/format.h"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

namespace leat::log {
namespace {

constexpr std::string_view format_text = "leat data directory, format 1\n";

}  // namespace

std::string parent_of(const std::string& path) {
  std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> check_format(file::FileSystem& files, const Layout& layout) {
  Result<Bytes> text = file::read_file(files, layout.format());
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, fmt::format("{} is not a data directory", layout.root()));
  }
  if (!text) return fail(text);
  if (as_text(*text) == format_text) return {};
  std::string first_line(as_text(*text).substr(0, 80));
  first_line.resize(std::min(first_line.find('\n'), first_line.size()));
  return fail(Errc::unsupported_format,
              fmt::format("{} was written by another version of leat: its format file says "
                          "\"{}\", this one reads format 1",
                          layout.root(), first_line));
}

Result<void> prepare_format(file::FileSystem& files, const Layout& layout) {
  Result<void> checked = check_format(files, layout);
  if (checked || checked.error().code != Errc::not_found) return checked;
  // A start that was interrupted may have made the directory without syncing its name.
  Result<void> synced = files.sync_directory(parent_of(layout.root()));
  if (!synced) return synced;
  return file::replace_file(files, layout.format(), as_bytes(format_text));
}

}  // namespace leat::log
