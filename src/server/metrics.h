// What the server counts, as text for Prometheus (exposition format 0.0.4). Everything here may be called
// from any thread. Labels come from us (routes, models that exist), never from a request as it was sent:
// otherwise a client could make as many series as it likes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ink {
struct AnswerUsage;  // services/answers/answer.h
}

namespace ink::server {

// Counts of durations by upper bound, cumulative when written out.
class DurationHistogram {
 public:
  static constexpr std::array<double, 12> kBounds{0.001, 0.005, 0.025, 0.1, 0.25, 0.5,
                                                  1,     2.5,   5,     15,  60,   300};
  void count(double seconds);
  void write(std::string& text, std::string_view name, const std::string& labels) const;

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

class Metrics {
 public:
  // --- for the endpoints
  // One answer has ended, whole or cut short. `model` is the name of a model that was loaded. Embeddings and
  // reranking count with prompt_tokens alone.
  void count_answer(const std::string& model, const AnswerUsage& usage);
  // From a request's arrival to the first piece of its answer.
  void count_first_token(const std::string& model, double seconds);
  // A number that is read when somebody asks, and left out when it is not known then. What `read` uses must
  // live as long as this object. The name without the prefix "inkstone_". A gauge goes up and down, a counter
  // only up; its name ends in "_total".
  using Read = std::function<std::optional<double>()>;
  void add_gauge(std::string name, std::string help, Read read);
  void add_counter(std::string name, std::string help, Read read);

  // --- for the transport
  // `endpoint`: the path of the route, or "other".
  void count_request(std::string_view endpoint, std::string_view method, int status, double seconds);
  void count_gone(std::string_view why);  // "left", "stalled", "overflow"
  std::atomic<int64_t> connections{0};
  std::atomic<int64_t> running{0};  // requests whose endpoint is at work; those that may generate, as waiting
  std::atomic<int64_t> waiting{0};  // requests that wait for a thread
  std::atomic<uint64_t> received_bytes{0};
  std::atomic<uint64_t> sent_bytes{0};

  std::string text() const;

 private:
  struct Tokens {
    int64_t prompt = 0, cached = 0, completion = 0, reasoning = 0;
    double queued_seconds = 0, load_seconds = 0, prompt_seconds = 0, generation_seconds = 0;
    uint64_t answers = 0;
    DurationHistogram first_token;
  };
  struct ReadLater {
    std::string name, help;
    const char* kind;
    Read read;
  };
  void write_requests(std::string& text) const;
  void write_tokens(std::string& text) const;

  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, uint64_t> requests_;  // endpoint, method, status
  std::map<std::string, DurationHistogram> seconds_;                        // by endpoint
  std::map<std::string, uint64_t> gone_;                                    // by reason
  std::map<std::string, Tokens> tokens_;                                    // by model
  std::vector<ReadLater> read_later_;
};

}  // namespace ink::server
