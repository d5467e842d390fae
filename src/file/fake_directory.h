// A directory of the fake file system: its entries, and which of their changes are on disk.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "file/fake_inode.h"

namespace leat::file {

class FakeDirectory;

/// What a name stands for: a file or a directory.
struct FakeNode {
  std::shared_ptr<FakeInode> file;
  std::shared_ptr<FakeDirectory> directory;
};

/// Changes are on disk after `sync`; before it, a power loss may take each of them back by itself,
/// save that a rename happens whole. One thread.
class FakeDirectory {
 public:
  using Entries = std::map<std::string, FakeNode>;

  const Entries& entries() const { return entries_; }
  const FakeNode* find(const std::string& name) const;
  void put(const std::string& name, FakeNode node);
  void erase(const std::string& name);
  /// Moves `from` of `source`, which may be this directory. REQUIRES: it is there.
  void move_here(FakeDirectory& source, const std::string& from, const std::string& to);
  void sync();
  /// Draws which changes reach the disk: call it for every directory before `lose_power`.
  void draw_survivors(Random& random);
  void lose_power();

 private:
  struct Change {
    std::string erased;  // Empty: none.
    std::string put;     // Empty: none.
    FakeNode node;
    bool on_disk = false;
    // A rename between directories: its other half. The old name goes only if the new one came.
    std::shared_ptr<Change> needs;
  };

  static void apply(const Change& change, Entries& entries);
  void record(std::shared_ptr<Change> change);

  Entries entries_;
  Entries durable_;
  std::vector<std::shared_ptr<Change>> changes_;
};

}  // namespace leat::file
