// The models a server can answer with: found by name, loaded when the first request wants one, unloaded when
// nobody has wanted it for a while or another needs the memory. What a model costs is counted in bytes before
// it is loaded, and never more is held than the budget allows.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"
#include "runtime/grammar_tokens.h"
#include "runtime/scheduler.h"
#include "services/library/grammar_shelf.h"
#include "services/library/model_finder.h"

namespace ink {

// A model that is loaded, shared by all its requests.
struct ServedModel {
  std::string name;  // as it was found, or the alias it was given
  std::shared_ptr<const Engine> engine;
  std::unique_ptr<Scheduler> scheduler;
  ChatFormat format = ChatFormat::kQwen3;
  std::shared_ptr<const TokenTree> tree;  // null without a tokenizer
  double load_seconds = 0;
  std::shared_ptr<GrammarShelf> grammars = std::make_shared<GrammarShelf>();  // that it answered with lately
};

struct LibraryOptions {
  EngineOptions engine;                   // for every model
  std::string default_model;              // a name or a path; empty: the embedded one
  std::string alias;                      // another name for the default model; may be empty
  std::optional<ChatFormat> chat_format;  // instead of the files' own
  uint64_t budget_bytes = 0;              // for all loaded models together; 0: four fifths of the memory
  std::chrono::milliseconds keep_alive = std::chrono::minutes(5);          // negative: for good
  std::function<void(const std::string& name, double fraction)> progress;  // on the thread that loads
};

struct LoadedModelInfo {
  std::string name;
  uint64_t bytes = 0;
  int in_use = 0;
  std::optional<std::chrono::system_clock::time_point> expires;  // not set: never
  KvCache::Usage cache;                                          // what its scheduler holds
};

class ModelLibrary {
 public:
  explicit ModelLibrary(LibraryOptions options);
  ~ModelLibrary();  // nothing may be in use any more

  // The model of this name (empty: the default one), loaded if it is not yet; it stays loaded as long as the
  // pointer lives, and `keep_alive` longer (not set: as the last request that set one since it was loaded;
  // the library's own at first). Blocks while it is loaded; another request for the same one waits for the
  // same loading. Names may come from the network: they reach the default model and those that find_models()
  // lists, never a path. `cancelled` (may be null) ends the waiting; a loading that has begun goes on, for
  // who asks next. Errors: kNotFound with the names there are; kTooLarge with the numbers when it cannot fit
  // even alone, or when what is loaded is in use; kCancelled; all of Engine::open.
  Result<std::shared_ptr<ServedModel>> acquire(const std::string& name,
                                               std::optional<std::chrono::milliseconds> keep_alive = {},
                                               const std::atomic<bool>* cancelled = nullptr);

  std::vector<FoundModel> available() const;  // the default one first
  std::vector<LoadedModelInfo> loaded() const;
  const std::string& default_name() const;
  // Unloads it as soon as nobody uses it. False: it is not loaded.
  bool unload(const std::string& name);

 private:
  class Shelf;
  std::unique_ptr<Shelf> shelf_;
};

}  // namespace ink
