// Rows as files in a folder, a folder for each value of the columns that they are split by.
//
//   DIR/day=2024-02-29/city=K%C3%B8ge/rows.jsonl    or rows.csv; the columns day and city are not
//                                                   in it
//   DIR/.leat/lock                                  who writes here
//   DIR/.leat/writing/...                           what is not committed yet, as it will be
//   DIR/.leat/commit/...                            what is committed and not yet in its place
//   DIR/.leat/commit-2-17/...                       what is committed if epoch 17 of version 2 is
//
// In names of folders all bytes other than letters, digits and one of _ . - + are written as in
// URLs; NULL is __HIVE_DEFAULT_PARTITION__, which no value is written as.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "column/row_text.h"
#include "file/file.h"
#include "operators/group_table.h"
#include "plan/bound_plan.h"

namespace leat::stream {

/// How rows are committed as part of a pipeline's epochs, which decide whether they are.
struct FileEpochs {
  /// Of the pipeline's version, in names.
  std::uint32_t version = 1;
  /// A commit replaces the files of its folders, as that of a batch does. Otherwise it adds files
  /// of its own, rows-<version>-<epoch>.
  bool replaces = false;
  /// Whether that epoch is committed.
  std::function<bool(std::uint64_t epoch)> committed;
};

/// Rows become visible, and durable, at a commit, which replaces the file of each folder that rows
/// were written for since the commit before; all other folders stay as they are, but for those that
/// are in one of a value of the sink's `replace`, which is replaced as a whole. A crash leaves
/// what all of a commit's folders had before it, or what it brings: the next open() finishes a
/// commit that was complete, and throws away what was not. Readers see each file whole at any time.
///
/// Within epochs a commit has two phases: prepare() makes what was written durable, without showing
/// it, before the epoch is committed, and publish() puts it in its place behind that. open()
/// publishes what was prepared for an epoch that is committed.
///
/// Memory is bounded by `buffer_bytes` and the number of folders. Not thread-safe.
class FileSink {
 public:
  struct Options {
    /// Rows of all folders together that are not written yet.
    std::size_t buffer_bytes = 32 << 20;
    /// Rows of one.
    std::size_t folder_bytes = 256 * 1024;
    std::optional<FileEpochs> epochs = {};
  };
  /// Makes the folder. Errc::locked while another one writes there, or where another version of a
  /// pipeline has left what only it can publish. `owner` is who we are, for its message.
  static Result<std::unique_ptr<FileSink>> open(const plan::BoundNode& sink,
                                                file::FileSystem& files, const std::string& owner,
                                                const Options& options);

  /// Errc::bad_record for a value that is too long for a folder's name.
  Result<void> write(const column::Chunk& chunk);
  /// After an error what was written may be committed or not: open the folder again.
  Result<void> commit();

  /// Makes durable what was written since the last prepare(), for publish() to show once `epoch` is
  /// committed. False if nothing was. REQUIRES: epochs, and what was prepared before is published.
  Result<bool> prepare(std::uint64_t epoch);
  /// Shows what was prepared, if anything was. After an error open the folder again.
  Result<void> publish();
  /// Of rows that were written and are not prepared.
  std::uint64_t unprepared_bytes() const { return unprepared_bytes_; }

 private:
  struct Folder {
    std::string path;  // below DIR; empty for DIR itself
    std::uint64_t written = 0;
    std::string rows;  // not yet written
    bool refused = false;
  };
  FileSink(const plan::BoundNode& sink, file::FileSystem& files, const Options& options);

  Result<void> clean_up();
  Result<bool> clean_up_epochs();
  Result<std::size_t> folder_of(const column::Chunk& chunk, std::uint32_t row);
  Result<std::string> path_of(const column::Chunk& chunk, std::uint32_t row) const;
  Result<void> append_row(const column::Chunk& chunk, std::uint32_t row);
  Result<void> flush(Folder& folder);
  Result<void> flush_all();
  Result<void> write_manifests();
  Result<void> sync_written();
  /// Something is to be committed, and durable in `writing`.
  Result<bool> finish_writing();
  Result<void> put_in_place(const std::string& commit, const std::string& infix);
  Result<void> move(const std::string& commit, const std::string& below, const std::string& infix);
  Result<void> make_directories(const std::string& path);
  std::string inside() const { return root_ + "/.leat"; }
  std::string writing() const { return inside() + "/writing"; }
  std::string committed() const { return inside() + "/commit"; }
  std::string infix_of(std::uint64_t epoch) const;
  std::string file_name() const { return csv_ ? "rows.csv" : "rows.jsonl"; }

  const column::Schema schema_;
  const std::vector<std::size_t> split_by_;
  const std::size_t replaced_by_;  // how many of these
  const bool csv_;
  const std::string root_;
  file::FileSystem& files_;
  const Options options_;
  std::unique_ptr<file::DirectoryLock> lock_;
  column::JsonRows objects_;
  column::CsvRows lines_;
  operators::GroupTable table_;  // of the columns' keys
  std::vector<Folder> folders_;  // by their number there
  std::size_t buffered_ = 0;
  std::uint64_t unprepared_bytes_ = 0;
  std::optional<std::uint64_t> prepared_;
  std::string key_;
};

/// `day=2024-02-29`: the name of the folder that a value has; never a path. REQUIRES: it is not
/// NULL.
std::string folder_name(const std::string& column, std::string_view value);

}  // namespace leat::stream
