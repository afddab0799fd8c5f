// See services/assistant/database.h.
#include "services/assistant/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <system_error>

#include "base/xdg_folder.h"

namespace ink::assistant {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr int kBusyMs = 5000;  // half a call's deadline

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS pending (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, label TEXT NOT NULL DEFAULT '', language TEXT NOT NULL DEFAULT 'eng',
  due_ms INTEGER, boot_id TEXT, boot_due_ms INTEGER, seconds INTEGER, time TEXT, repeat TEXT, weekday INTEGER,
  created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS pending_due ON pending (due_ms);
CREATE TABLE IF NOT EXISTS fired (
  id INTEGER PRIMARY KEY, pending_id INTEGER NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL, language TEXT NOT NULL,
  due_ms INTEGER NOT NULL, fired_ms INTEGER NOT NULL, missed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, title TEXT NOT NULL, date TEXT, time TEXT, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS devices (id TEXT PRIMARY KEY, state TEXT NOT NULL);
)";

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorKind::kInvalid;
    case SQLITE_BUSY:
      return ErrorKind::kCancelled;
    default:
      return ErrorKind::kIo;
  }
}

// SQLite's own words name the fault ("database or disk is full") and never hold values.
Error error_of(sqlite3* handle, const char* doing) {
  return {kind_of(sqlite3_errcode(handle)), "assistant.db", std::string("to ") + doing,
          sqlite3_errmsg(handle), "is the disk full, or the folder not writable?"};
}

void bind(sqlite3_stmt* statement, int place, const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else if (value.is_boolean()) {
    sqlite3_bind_int64(statement, place, value.get<bool>() ? 1 : 0);
  } else if (value.is_number_integer()) {
    sqlite3_bind_int64(statement, place, value.get<int64_t>());
  } else if (value.is_number()) {
    sqlite3_bind_double(statement, place, value.get<double>());
  } else {
    sqlite3_bind_null(statement, place);
  }
}

Json column(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, index);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, index);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
      return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, index)));
    }
    default:
      return nullptr;
  }
}

}  // namespace

Result<std::shared_ptr<Database>> Database::open(const fs::path& file) {
  const Error unwritable{ErrorKind::kIo, file.parent_path().string(), "a folder that can be written", "none",
                         "INKSTONE_HOME names another one"};
  if (file.empty()) return unwritable;
  std::error_code error;
  const bool is_new_folder = fs::create_directories(file.parent_path(), error);
  if (error) return unwritable;
  if (is_new_folder) fs::permissions(file.parent_path(), fs::perms::owner_all, error);
  // Made before SQLite opens it, readable for its owner only; the files beside it inherit that.
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0) return unwritable;
  ::close(made);
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(
      file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (handle == nullptr) return unwritable;
  std::shared_ptr<Database> database(new Database(handle));
  Status prepared = opened == SQLITE_OK ? database->prepare_tables() : error_of(handle, "open it");
  if (!prepared.ok()) return prepared.error();
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

Status Database::prepare_tables() {
  sqlite3_busy_timeout(handle_, kBusyMs);
  const auto version = run("PRAGMA user_version");
  if (!version.ok()) return version.error();
  const int64_t found = (*version)[0]["user_version"].get<int64_t>();
  if (found > kVersion)
    return Error{ErrorKind::kUnsupported, "assistant.db", "version " + std::to_string(kVersion),
                 std::to_string(found), "a newer Inkstone has written it"};
  for (const char* step : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"}) {
    if (const auto done = run(step); !done.ok()) return done.error();
  }
  if (found == kVersion) return Done{};
  const std::string all = std::string("BEGIN IMMEDIATE;") + kTables +
                          "PRAGMA user_version = " + std::to_string(kVersion) + "; COMMIT;";
  if (sqlite3_exec(handle_, all.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return Done{};
  Error error = error_of(handle_, "make its tables");
  sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  return error;
}

Result<Json> Database::run(std::string_view sql, const Json& parameters) {
  const std::lock_guard lock(mutex_);
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
    return error_of(handle_, "read or write it");
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  for (size_t i = 0; i < parameters.size(); ++i) bind(raw, static_cast<int>(i) + 1, parameters[i]);
  Json rows = Json::array();
  for (;;) {
    const int step = sqlite3_step(raw);
    if (step == SQLITE_DONE) return rows;
    if (step != SQLITE_ROW) return error_of(handle_, "read or write it");
    Json row = Json::object();
    for (int i = 0; i < sqlite3_column_count(raw); ++i) row[sqlite3_column_name(raw, i)] = column(raw, i);
    rows.push_back(std::move(row));
  }
}

int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_); }
int64_t Database::changed() const { return sqlite3_changes64(handle_); }

Status Database::transact(const std::function<Status()>& steps) {
  const std::lock_guard lock(mutex_);
  // IMMEDIATE: the right to write is taken before anything is read, so that no other process changes it
  // between.
  if (const auto begun = run("BEGIN IMMEDIATE"); !begun.ok()) return begun.error();
  Status done = steps();
  if (done.ok()) {
    const auto committed = run("COMMIT");
    if (committed.ok()) return Done{};
    done = committed.error();
  }
  if (sqlite3_get_autocommit(handle_) == 0) static_cast<void>(run("ROLLBACK"));
  return done;
}

void Database::limit_pages(int64_t pages) {
  static_cast<void>(run("PRAGMA max_page_count = " + std::to_string(pages)));
}

fs::path state_folder() {
  const char* chosen = std::getenv("INKSTONE_HOME");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  const fs::path data = xdg_folder("XDG_DATA_HOME", ".local/share");
  return data.empty() ? data : data / "inkstone";
}

Problem problem_of(const Error& error) {
  const char* name = error.kind == ErrorKind::kIo          ? problem::kNoRoom
                     : error.kind == ErrorKind::kCancelled ? problem::kTimedOut
                                                           : "memory_unreadable";
  return {name, error.message()};
}

}  // namespace ink::assistant
