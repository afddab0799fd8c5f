// See services/library/library.h. Every model has a place on the shelf, made when it is first asked for and
// kept for good, so that references to places stay valid. The lock is never held while a model is opened,
// loaded or freed: those take seconds, and other models answer meanwhile.
//
// Models are loaded one after the other on a thread of their own: each loading uses all processors, two would
// count the same free memory, and who waits for one can leave while it goes on.
//
// What is easy to get wrong: a model is still counted while its memory is being given back, and one that a
// request is waiting for is not idle, though nobody holds it yet.
#include "services/library/library.h"

#include <algorithm>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "models/config.h"
#include "services/library/model_names.h"

namespace ink {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kForGood = milliseconds(-1);
constexpr milliseconds kLookForLeaving = milliseconds(20);  // of a request that waits for its model

milliseconds normal_keep_alive(milliseconds asked) {
  constexpr milliseconds kAYear = std::chrono::hours(24 * 365);  // added to a clock, much more could overflow
  return asked < milliseconds(0) || asked > kAYear ? kForGood : asked;
}

// One loading that requests wait for together.
struct Loading {
  bool done = false;
  std::optional<Error> error;
};

struct ShelfPlace {
  FoundModel found;
  std::string name;                    // to its users
  std::unique_ptr<ServedModel> model;  // null: not loaded
  std::shared_ptr<Loading> loading;    // not null: being loaded, or waits for its turn
  uint64_t bytes = 0;                  // of the loaded model
  int in_use = 0;                      // pointers that live
  int wanted = 0;                      // requests between their arrival and their pointer
  milliseconds keep_alive{};
  Clock::time_point last_used;
  bool unload_asked = false;

  bool is_idle() const { return model != nullptr && in_use == 0 && wanted == 0; }
  bool expires() const { return keep_alive != kForGood; }
};

Result<std::unique_ptr<ServedModel>> load_model(Checkpoint checkpoint, const EngineOptions& options,
                                                const std::optional<ChatFormat>& format,
                                                const std::string& name) {
  const auto start = Clock::now();
  auto engine = Engine::open(std::move(checkpoint), options);
  if (!engine.ok()) return engine.error();
  auto scheduler = Scheduler::create(*engine);
  if (!scheduler.ok()) return scheduler.error();
  auto model = std::make_unique<ServedModel>();
  model->name = name;
  model->format = format.value_or((*engine)->chat_format().format);
  if (const Tokenizer* tokenizer = (*engine)->tokenizer()) model->tree = TokenTree::create(*tokenizer);
  model->engine = std::move(*engine);
  model->scheduler = std::move(*scheduler);
  model->load_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return model;
}

}  // namespace

class ModelLibrary::Shelf {
 public:
  explicit Shelf(LibraryOptions options);
  ~Shelf();

  Result<std::shared_ptr<ServedModel>> acquire(const std::string& name,
                                               std::optional<milliseconds> keep_alive,
                                               const std::atomic<bool>* cancelled);
  std::vector<FoundModel> available() const;
  std::vector<LoadedModelInfo> loaded() const;
  const std::string& default_name() const { return default_name_; }
  bool unload(const std::string& name);

 private:
  // What the pointers of users hold.
  struct Lease {
    Shelf& shelf;
    ShelfPlace& place;
    ~Lease() { shelf.release(place); }
  };
  using Lock = std::unique_lock<std::mutex>;

  bool is_default(const std::string& name) const;
  Result<FoundModel> resolve(const std::string& name) const;
  Status wait_until_ready(Lock& lock, ShelfPlace& place, const std::atomic<bool>* cancelled);
  Result<std::pair<std::unique_ptr<ServedModel>, uint64_t>> load(const ShelfPlace& place);
  Result<EngineOptions> options_for(const Checkpoint& checkpoint, const ShelfPlace& place) const;
  Status make_room(const std::string& name, uint64_t bytes);
  Error no_room(const std::string& name, uint64_t bytes) const;
  ShelfPlace* longest_idle();
  void evict(Lock& lock, ShelfPlace& place);
  void release(ShelfPlace& place);
  void run_loader();
  void run_timer();

  LibraryOptions options_;
  Result<FoundModel> default_ = FoundModel();
  std::string default_name_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, ShelfPlace> places_;  // by found name, in lower case
  uint64_t leaving_bytes_ = 0;                // of models that are being freed
  std::deque<ShelfPlace*> to_load_;           // in the order they were asked for
  bool stopping_ = false;
  std::thread loader_;
  std::thread timer_;
};

ModelLibrary::Shelf::Shelf(LibraryOptions options)
    : options_(std::move(options)), default_(find_model_or_path(options_.default_model)) {
  options_.keep_alive = normal_keep_alive(options_.keep_alive);
  if (options_.budget_bytes == 0) options_.budget_bytes = total_memory_bytes() / 5 * 4;
  default_name_ = !options_.alias.empty() ? options_.alias
                  : default_.ok()         ? default_->name
                                          : options_.default_model;
  loader_ = std::thread([this] { run_loader(); });
  timer_ = std::thread([this] { run_timer(); });
}

ModelLibrary::Shelf::~Shelf() {
  {
    const Lock lock(mutex_);
    for (const auto& [key, place] : places_)
      INK_CHECK(place.in_use == 0 && place.wanted == 0, "a model library ended while a model was in use");
    stopping_ = true;
    changed_.notify_all();
  }
  loader_.join();
  timer_.join();
}

// The text that the server was started with means the default model as well: clients repeat it.
bool ModelLibrary::Shelf::is_default(const std::string& name) const {
  return name.empty() || name == options_.default_model || same_model_name(name, default_name_) ||
         (default_.ok() && same_model_name(name, default_->name));
}

// The only way from a name to a file. A name may come from the network: whatever it says, it chooses among
// the default model and what find_models() lists, and is never opened as a path.
Result<FoundModel> ModelLibrary::Shelf::resolve(const std::string& name) const {
  if (is_default(name)) return default_;
  {
    const Lock lock(mutex_);
    const auto known = places_.find(ascii_lower(name));  // without looking through the folders again
    if (known != places_.end() && known->second.model != nullptr) return known->second.found;
  }
  return match_model(available(), name);
}

Result<std::shared_ptr<ServedModel>> ModelLibrary::Shelf::acquire(const std::string& name,
                                                                  std::optional<milliseconds> keep_alive,
                                                                  const std::atomic<bool>* cancelled) {
  const auto found = resolve(name);
  if (!found.ok()) return found.error();
  const bool default_asked = is_default(found->name);
  Lock lock(mutex_);
  ShelfPlace& place = places_[ascii_lower(default_asked ? default_->name : found->name)];
  if (place.name.empty()) {
    place.found = default_asked ? *default_ : *found;
    place.name = default_asked ? default_name_ : found->name;
  }
  ++place.wanted;
  const Status ready = wait_until_ready(lock, place, cancelled);
  --place.wanted;
  if (!ready.ok()) return ready.error();
  if (keep_alive) place.keep_alive = normal_keep_alive(*keep_alive);
  ++place.in_use;
  place.last_used = Clock::now();
  const std::shared_ptr<Lease> lease(new Lease{*this, place});
  return std::shared_ptr<ServedModel>(lease, place.model.get());
}

// Has the model loaded if nobody has yet, and waits for it; the lock is open meanwhile.
Status ModelLibrary::Shelf::wait_until_ready(Lock& lock, ShelfPlace& place,
                                             const std::atomic<bool>* cancelled) {
  if (place.model != nullptr) return Done{};
  if (place.loading == nullptr) {
    place.loading = std::make_shared<Loading>();
    to_load_.push_back(&place);
    changed_.notify_all();
  }
  const std::shared_ptr<Loading> loading = place.loading;
  while (!loading->done) {
    if (cancelled != nullptr && *cancelled)
      return Error{ErrorKind::kCancelled, place.name, "", "cancelled while it was loaded", ""};
    changed_.wait_for(lock, kLookForLeaving);
  }
  return loading->error ? Status(*loading->error) : Status(Done{});
}

void ModelLibrary::Shelf::run_loader() {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !to_load_.empty(); });
    if (stopping_) return;
    ShelfPlace& place = *to_load_.front();
    to_load_.pop_front();
    if (place.wanted == 0) {  // all have left before it began
      place.loading = nullptr;
      continue;
    }
    const std::shared_ptr<Loading> loading = place.loading;
    lock.unlock();
    auto loaded = load(place);
    lock.lock();
    if (loaded.ok()) {
      place.model = std::move(loaded->first);
      place.bytes = loaded->second;
      place.keep_alive = options_.keep_alive;
      place.last_used = Clock::now();  // of a model whose requests have left
      place.unload_asked = false;
    } else {
      loading->error = loaded.error();
    }
    place.loading = nullptr;
    loading->done = true;
    changed_.notify_all();
  }
}

// A context that was asked for is a promise for the default model; others take as much of it as they can.
Result<EngineOptions> ModelLibrary::Shelf::options_for(const Checkpoint& checkpoint,
                                                       const ShelfPlace& place) const {
  EngineOptions options = options_.engine;
  if (!is_default(place.found.name)) {
    const auto config = read_config(checkpoint);
    if (!config.ok()) return config.error();
    options.context_tokens = std::min(options.context_tokens, config->max_position_embeddings);
  }
  if (options_.progress)
    options.progress = [this, name = place.name](double fraction) { options_.progress(name, fraction); };
  return options;
}

Result<std::pair<std::unique_ptr<ServedModel>, uint64_t>> ModelLibrary::Shelf::load(const ShelfPlace& place) {
  auto checkpoint = open_found(place.found);
  if (!checkpoint.ok()) return checkpoint.error();
  const auto options = options_for(*checkpoint, place);
  if (!options.ok()) return options.error();
  const auto summary = summarize(*checkpoint, *options);
  if (!summary.ok()) return summary.error();
  const uint64_t bytes = summary->memory.total();
  const Status room = make_room(place.name, bytes);
  if (!room.ok()) return room.error();
  auto model = load_model(std::move(*checkpoint), *options, options_.chat_format, place.name);
  if (!model.ok()) return model.error();
  return std::pair(std::move(*model), bytes);
}

// Unloads idle models, the one that was idle longest first, until the budget and the machine have room for
// `bytes` more. None is unloaded where the budget would not suffice even so.
Status ModelLibrary::Shelf::make_room(const std::string& name, uint64_t bytes) {
  Lock lock(mutex_);
  uint64_t busy = 0;
  for (const auto& [key, place] : places_) busy += place.is_idle() ? 0 : place.bytes;
  if (bytes > options_.budget_bytes || busy > options_.budget_bytes - bytes) return no_room(name, bytes);
  for (;;) {
    uint64_t held = leaving_bytes_;
    for (const auto& [key, place] : places_) held += place.bytes;
    const bool fits = held <= options_.budget_bytes && bytes <= options_.budget_bytes - held;
    if (fits && bytes <= available_memory_bytes()) return Done{};
    if (ShelfPlace* place = longest_idle()) {
      evict(lock, *place);
    } else if (leaving_bytes_ > 0) {
      changed_.wait(lock, [&] { return leaving_bytes_ == 0; });
    } else {
      // Where only the machine has too little, Engine::open says it with its own numbers.
      return fits ? Status(Done{}) : no_room(name, bytes);
    }
  }
}

Error ModelLibrary::Shelf::no_room(const std::string& name, uint64_t bytes) const {
  std::string in_use;
  for (const auto& [key, place] : places_) {
    if (place.model == nullptr || place.is_idle()) continue;
    in_use += (in_use.empty() ? "; in use: " : ", ") + place.name + " " + megabytes_text(place.bytes);
  }
  return Error{ErrorKind::kTooLarge, "memory for models",
               "at most " + megabytes_text(options_.budget_bytes) + " for all of them",
               megabytes_text(bytes) + " for " + name + in_use,
               in_use.empty()
                   ? "a smaller --ctx-size or a smaller quantization needs less, --models-memory allows more"
                   : "try again when they are idle"};
}

ShelfPlace* ModelLibrary::Shelf::longest_idle() {
  ShelfPlace* longest = nullptr;
  for (auto& [key, place] : places_) {
    if (place.is_idle() && (longest == nullptr || place.last_used < longest->last_used)) longest = &place;
  }
  return longest;
}

// Unloads an idle model; the lock is open while its memory is given back, which is counted until it is.
void ModelLibrary::Shelf::evict(Lock& lock, ShelfPlace& place) {
  std::unique_ptr<ServedModel> model = std::move(place.model);
  const uint64_t bytes = std::exchange(place.bytes, 0);
  leaving_bytes_ += bytes;
  lock.unlock();
  model.reset();
  lock.lock();
  leaving_bytes_ -= bytes;
  changed_.notify_all();
}

void ModelLibrary::Shelf::release(ShelfPlace& place) {
  Lock lock(mutex_);
  --place.in_use;
  place.last_used = Clock::now();
  if (place.is_idle() && (place.unload_asked || place.keep_alive == milliseconds(0))) evict(lock, place);
  changed_.notify_all();  // the timer has one more to watch
}

void ModelLibrary::Shelf::run_timer() {
  Lock lock(mutex_);
  while (!stopping_) {
    ShelfPlace* next = nullptr;
    const auto end_of = [](const ShelfPlace& place) { return place.last_used + place.keep_alive; };
    for (auto& [key, place] : places_) {
      if (place.is_idle() && place.expires() && (next == nullptr || end_of(place) < end_of(*next)))
        next = &place;
    }
    if (next == nullptr) {
      changed_.wait(lock);
    } else if (const auto end = end_of(*next); Clock::now() < end) {
      changed_.wait_until(lock, end);
    } else {
      evict(lock, *next);
    }
  }
}

std::vector<FoundModel> ModelLibrary::Shelf::available() const {
  std::vector<FoundModel> all;
  if (default_.ok()) {
    all.push_back(*default_);
    all.back().name = default_name_;
  }
  for (FoundModel& model : find_models()) {
    const auto is_same = [&](const FoundModel& other) {
      return same_model_name(other.name, model.name) ||
             (!model.path.empty() && other.path == std::filesystem::absolute(model.path).lexically_normal());
    };
    const bool hidden = default_.ok() && (is_default(model.name) || model.path == default_->path);
    if (!hidden && std::none_of(all.begin(), all.end(), is_same)) all.push_back(std::move(model));
  }
  return all;
}

std::vector<LoadedModelInfo> ModelLibrary::Shelf::loaded() const {
  std::vector<LoadedModelInfo> all;
  const Lock lock(mutex_);
  const auto now = Clock::now();
  for (const auto& [key, place] : places_) {
    if (place.model == nullptr) continue;
    LoadedModelInfo info{place.name, place.bytes, place.in_use, std::nullopt,
                         place.model->scheduler->usage().cache};
    if (place.expires()) {
      const auto used = place.in_use > 0 ? now : place.last_used;
      info.expires =
          std::chrono::system_clock::now() +
          std::chrono::duration_cast<std::chrono::system_clock::duration>(used + place.keep_alive - now);
    }
    all.push_back(std::move(info));
  }
  return all;
}

bool ModelLibrary::Shelf::unload(const std::string& name) {
  const auto found = resolve(name);
  if (!found.ok()) return false;
  Lock lock(mutex_);
  const auto known = places_.find(ascii_lower(is_default(found->name) ? default_->name : found->name));
  if (known == places_.end() || known->second.model == nullptr) return false;
  known->second.unload_asked = true;
  if (known->second.is_idle()) evict(lock, known->second);
  return true;
}

ModelLibrary::ModelLibrary(LibraryOptions options) : shelf_(std::make_unique<Shelf>(std::move(options))) {}
ModelLibrary::~ModelLibrary() = default;

Result<std::shared_ptr<ServedModel>> ModelLibrary::acquire(const std::string& name,
                                                           std::optional<milliseconds> keep_alive,
                                                           const std::atomic<bool>* cancelled) {
  return shelf_->acquire(name, keep_alive, cancelled);
}
std::vector<FoundModel> ModelLibrary::available() const { return shelf_->available(); }
std::vector<LoadedModelInfo> ModelLibrary::loaded() const { return shelf_->loaded(); }
const std::string& ModelLibrary::default_name() const { return shelf_->default_name(); }
bool ModelLibrary::unload(const std::string& name) { return shelf_->unload(name); }

}  // namespace ink
