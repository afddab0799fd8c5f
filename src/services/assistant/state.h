// What the tools of this device share: the database, opened when it is first needed (most requests for a lamp
// of a real home never do), and the schedule in it. A database that could not be opened is tried again the
// next time.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "services/assistant/time/schedule.h"

namespace ink::assistant {

class State {
 public:
  State(std::filesystem::path folder, std::shared_ptr<const Clock> clock)
      : folder_(std::move(folder)), clock_(std::move(clock)) {}

  // Errors: as Database::open.
  Result<std::shared_ptr<Database>> database();
  Result<std::shared_ptr<Schedule>> schedule();
  // Whether anything was ever kept: reading alone must not make files.
  bool begun() const;
  const Clock& clock() const { return *clock_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const Clock> clock_;
  std::mutex mutex_;
  std::shared_ptr<Database> database_;
};

}  // namespace ink::assistant
