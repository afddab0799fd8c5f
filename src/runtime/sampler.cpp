// See sampler.h. Built for vocabularies of 150,000 and more: one pass finds the best logit, one pass keeps
// the top-k, and nothing is ever sorted beyond the tokens that survive. Cuts by top-p and min-p both keep a
// prefix of the candidates in order of their logits, so min-p may run first as long as top-p still measures
// against the sum that includes what min-p removed. Random numbers are taken from the generator's bits,
// because the standard distributions differ between libraries.
#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ink {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

// Higher logits first, then lower ids; a strict order, so every selection below has one result.
bool is_better(const TokenProbability& a, const TokenProbability& b) {
  return a.logprob > b.logprob || (a.logprob == b.logprob && a.id < b.id);
}

// The largest logit; -infinity when all are NaN or -infinity. Eight maxima side by side become vector
// instructions, and `a > b ? a : b` drops a NaN in a.
float find_highest(std::span<const float> logits) {
  constexpr size_t kLanes = 8;
  float highest[kLanes];
  std::fill(std::begin(highest), std::end(highest), kNothing);
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane)
      highest[lane] = logits[i + lane] > highest[lane] ? logits[i + lane] : highest[lane];
  }
  for (; i < logits.size(); ++i) highest[0] = logits[i] > highest[0] ? logits[i] : highest[0];
  return *std::max_element(std::begin(highest), std::end(highest));
}

// The index of the largest logit, the lowest one of equals; -1 when all are NaN or -infinity.
int32_t find_best(std::span<const float> logits) {
  const float highest = find_highest(logits);
  if (highest == kNothing) return -1;
  return static_cast<int32_t>(std::find(logits.begin(), logits.end(), highest) - logits.begin());
}

// The `count` best logits, best first. A logit enters only if it beats the worst of the best `count` known so
// far, which after the first few thousand is rare.
void select_best(std::span<const float> logits, size_t count, std::vector<TokenProbability>& best) {
  best.clear();
  if (count == 0) return;
  const size_t full = std::min(2 * count + 64, logits.size() + 1);
  float threshold = kNothing;
  const auto nth = static_cast<std::ptrdiff_t>(count);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > threshold)) continue;
    best.push_back({static_cast<int32_t>(i), logits[i]});
    if (best.size() < full) continue;
    std::nth_element(best.begin(), best.begin() + nth - 1, best.end(), is_better);
    best.resize(count);
    threshold = best.back().logprob;
  }
  const size_t kept = std::min(count, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(), is_better);
  best.resize(kept);
}

// ln of the sum of exp over all logits; `best` is the largest.
double log_sum(std::span<const float> logits, float best) {
  double sum = 0;
  for (const float logit : logits) {
    if (logit > kNothing) sum += std::exp(static_cast<double>(logit) - static_cast<double>(best));
  }
  return std::log(sum) + static_cast<double>(best);
}

// 53 random bits as a number in [0, 1).
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

}  // namespace

void SamplingChanges::apply_to(SamplingOptions& options) const {
  options.temperature = temperature.value_or(options.temperature);
  options.top_k = static_cast<int32_t>(top_k.value_or(options.top_k));
  options.top_p = top_p.value_or(options.top_p);
  options.min_p = min_p.value_or(options.min_p);
  options.repeat_penalty = repeat_penalty.value_or(options.repeat_penalty);
  options.presence_penalty = presence_penalty.value_or(options.presence_penalty);
  options.frequency_penalty = frequency_penalty.value_or(options.frequency_penalty);
}

uint64_t random_seed() { return (uint64_t{std::random_device{}()} << 32) | std::random_device{}(); }

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)), random_(options_.seed) {}

void Sampler::reset() {
  random_.seed(options_.seed);
  recent_.clear();
  next_recent_ = 0;
  counts_.clear();
}

void Sampler::accept(int32_t id) {
  if (options_.penalty_last_n == 0) return;
  if (options_.penalty_last_n > 0) {
    if (recent_.size() < static_cast<size_t>(options_.penalty_last_n)) {
      recent_.push_back(id);
    } else {
      const auto oldest = counts_.find(recent_[next_recent_]);
      if (--oldest->second == 0) counts_.erase(oldest);
      recent_[next_recent_] = id;
      next_recent_ = (next_recent_ + 1) % recent_.size();
    }
  }
  ++counts_[id];
}

bool Sampler::adjusts() const {
  return !options_.logit_bias.empty() || options_.repeat_penalty != 1.0f ||
         options_.presence_penalty != 0.0f || options_.frequency_penalty != 0.0f;
}

// Bias and penalties, as llama.cpp defines them.
void Sampler::adjust(std::span<float> logits) const {
  const auto inside = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < logits.size(); };
  for (const auto& [id, bias] : options_.logit_bias) {
    if (inside(id)) logits[static_cast<size_t>(id)] += bias;
  }
  if (options_.repeat_penalty == 1.0f && options_.presence_penalty == 0.0f &&
      options_.frequency_penalty == 0.0f)
    return;
  for (const auto& [id, count] : counts_) {
    if (!inside(id)) continue;
    float& logit = logits[static_cast<size_t>(id)];
    // Dividing a negative logit would make the token likelier.
    logit = logit > 0.0f ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    logit -= static_cast<float>(count) * options_.frequency_penalty + options_.presence_penalty;
  }
}

// Leaves the candidates that min-p and top-p keep; at least the best one.
void Sampler::cut_candidates(float best) {
  const bool use_top_p = options_.top_p < 1.0f;
  const auto weight = [best](float logit) {
    return std::exp(static_cast<double>(logit) - static_cast<double>(best));
  };
  double total = 0;
  if (use_top_p) {
    for (const auto& candidate : candidates_) total += weight(candidate.logprob);
  }
  if (options_.min_p > 0.0f) {
    const float lowest = std::min(best, best + std::log(options_.min_p));
    std::erase_if(candidates_, [lowest](const TokenProbability& c) { return c.logprob < lowest; });
  }
  if (!use_top_p) return;

  // Sorted piece by piece, each twice as long as the one before: usually the first is enough.
  const double wanted = static_cast<double>(options_.top_p) * total;
  double sum = 0;
  size_t sorted = 0;
  for (size_t piece = 128; sorted < candidates_.size(); piece *= 2) {
    const size_t end = std::min(candidates_.size(), sorted + piece);
    const auto first = candidates_.begin() + static_cast<std::ptrdiff_t>(sorted);
    const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(end);
    if (last != candidates_.end()) std::nth_element(first, last - 1, candidates_.end(), is_better);
    std::sort(first, last, is_better);
    for (; sorted < end; ++sorted) {
      sum += weight(candidates_[sorted].logprob);
      if (sum < wanted) continue;
      candidates_.resize(sorted + 1);
      return;
    }
  }
}

int32_t Sampler::draw(std::span<const float> logits, float best) {
  if (options_.top_k > 0 && static_cast<size_t>(options_.top_k) < logits.size()) {
    select_best(logits, static_cast<size_t>(options_.top_k), candidates_);
  } else {
    candidates_.clear();
    for (size_t i = 0; i < logits.size(); ++i) {
      if (logits[i] > kNothing) candidates_.push_back({static_cast<int32_t>(i), logits[i]});
    }
  }
  cut_candidates(best);

  weights_.clear();
  double total = 0;
  for (const auto& candidate : candidates_) {
    const double distance = static_cast<double>(candidate.logprob) - static_cast<double>(best);
    weights_.push_back(std::exp(distance / static_cast<double>(options_.temperature)));
    total += weights_.back();
  }
  double remaining = uniform(random_) * total;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    remaining -= weights_[i];
    if (remaining < 0) return candidates_[i].id;
  }
  return candidates_.back().id;  // rounding used up the sum
}

SampledToken Sampler::sample(std::span<float> logits, const TokenMask* allowed) {
  SampledToken result;
  if (allowed != nullptr) allowed->apply(logits);
  const bool reports = options_.logprobs >= 0;
  const int32_t raw_best = find_best(logits);
  double raw_log_sum = 0;
  std::vector<float> raw;  // what the logprob of the chosen token is computed from
  if (reports && raw_best >= 0) {
    raw.assign(logits.begin(), logits.end());
    raw_log_sum = log_sum(logits, logits[static_cast<size_t>(raw_best)]);
    select_best(logits, static_cast<size_t>(options_.logprobs), candidates_);
    for (const auto& [id, logit] : candidates_)
      result.top.push_back({id, static_cast<float>(static_cast<double>(logit) - raw_log_sum)});
  }

  int32_t best = raw_best;
  if (adjusts()) {
    adjust(logits);
    best = find_best(logits);
  }
  if (best < 0) {
    // All are banned or NaN.
    result.id = raw_best >= 0 ? raw_best : (allowed != nullptr ? std::max(allowed->lowest(), 0) : 0);
  } else if (!(options_.temperature > 0.0f) || std::isinf(logits[static_cast<size_t>(best)])) {
    result.id = best;
  } else {
    result.id = draw(logits, logits[static_cast<size_t>(best)]);
  }
  if (!raw.empty())
    result.logprob =
        static_cast<float>(static_cast<double>(raw[static_cast<size_t>(result.id)]) - raw_log_sum);
  return result;
}

}  // namespace ink
