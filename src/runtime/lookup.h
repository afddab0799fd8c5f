// Guesses the next tokens of a timeline from its own past: where the last few tokens stood before, what
// followed them then may follow again (prompt look-up, Saxena 2023). A guess costs nothing but the wider step
// that checks it, and its length follows success: it grows while guesses hold and pauses after they failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace ink {

class Lookup {
 public:
  // most: the longest guess, 0 for none at all.
  explicit Lookup(int64_t most) : most_(static_cast<size_t>(most)) {}

  void accept(int32_t id);  // the next token of the timeline, of the prompt or of the answer
  // What may follow the last token accepted; often empty.
  std::vector<int32_t> guess(size_t at_most);
  // How many tokens of the last guess, which was not empty, turned out right.
  void learn(size_t guessed, size_t right);

 private:
  static constexpr size_t kMatch =
      3;  // tokens that must stand alike; of two, most matches in prose mean nothing
  static constexpr int64_t kPause = 32;  // tokens without a guess after one that was all wrong

  size_t most_;
  size_t length_ = 4;
  int64_t pause_ = 0;
  std::vector<int32_t> past_;
  std::unordered_map<uint64_t, size_t> after_;  // hash of kMatch tokens → place after their last occurrence
  size_t candidate_ = 0;  // where the last kMatch tokens stood before: the place after them; 0: nowhere
};

}  // namespace ink
