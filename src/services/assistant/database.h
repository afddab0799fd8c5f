// The assistant's memory on disk: one SQLite file (chosen because a kill -9 or a power cut at any moment
// leaves it whole, and every person and tool can read it). WAL with synchronous FULL: what a call reported as
// done is on the disk. Readable for its owner only. A folder that cannot be written or a full disk is an
// Error, and nothing that was there is lost; a file that is no database of ours is refused and never
// overwritten.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "services/assistant/tool.h"

struct sqlite3;

namespace ink::assistant {

class Database {
 public:
  // Makes the file and its folder when they are not there. Errors: kIo (the folder, the disk), kInvalid (not
  // a database), kUnsupported (written by a newer version).
  static Result<std::shared_ptr<Database>> open(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement; ? stand for the parameters, an array of null, numbers, text or true/false. Gives the
  // rows, an array of objects by column name; {} objects are never made of nothing: no rows are an empty
  // array.
  Result<Json> run(std::string_view sql, const Json& parameters = Json::array());
  int64_t last_id() const;
  int64_t changed() const;  // rows that the last statement changed

  // All of `steps` or nothing, and nobody else writes meanwhile. From one thread at a time; others wait.
  Status transact(const std::function<Status()>& steps);

  // Cap on the file's size in pages, for tests of a full disk.
  void limit_pages(int64_t pages);

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  Status prepare_tables();
  sqlite3* handle_;
  std::recursive_mutex mutex_;
};

// $INKSTONE_HOME, else $XDG_DATA_HOME/inkstone, else ~/.local/share/inkstone; empty when there is none.
std::filesystem::path state_folder();

// The problem that a failed Database step is for the person.
Problem problem_of(const Error& error);

}  // namespace ink::assistant
