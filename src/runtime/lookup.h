// Guesses the next tokens of a timeline from its own past: where the last few tokens stood before, what
// followed them then may follow again (prompt look-up, Saxena 2023). An answer that edits a text of the
// prompt is followed through it: after a token that differs the text goes on one token later, or where the
// next tokens are found again nearby.
//
// A guess is checked by one wider step of the model. Whether one is worth its time, and how long it should
// be, is reckoned from two things that are watched: how often such a guess would have been right, which every
// token shows, whether it was guessed or not; and how long steps of one row and of several take here. So text
// that does not repeat itself costs nothing but the watching. Answers never depend on any of this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ink {

class Lookup {
 public:
  // most: the longest guess, 0 for none at all.
  explicit Lookup(int64_t most) : most_(static_cast<size_t>(most)) {}

  void accept(int32_t id);  // the next token of the timeline, of the prompt or of the answer
  // What may follow the last token accepted, to be read in one step behind `rows` tokens that have to be read
  // anyway; often empty.
  std::vector<int32_t> guess(size_t at_most, size_t rows = 1) const;
  // A step of the model with so many rows took so long.
  void learn_cost(size_t rows, double seconds);

 private:
  // Where the timeline may be repeating itself.
  struct Candidate {
    size_t place = 0;      // in the past, of the token that comes next; 0: there is none
    size_t length = 0;     // tokens before it that stand alike
    bool resumed = false;  // it goes on behind a difference; length counts from there
    size_t missed = 0;     // differences since the last token that was alike
  };
  // How often the next token of a candidate was right. Older ones count less.
  struct Record {
    double right = 0;
    double total = 0;
  };
  static constexpr size_t kKinds = 11;      // of candidates, by what speaks for them
  static constexpr size_t kPassRows = 4;    // rows that kernels take at once
  static constexpr size_t kCosts = 1 + 16;  // one row, then by passes

  static size_t kind_of(bool resumed, size_t length);
  double chance(bool resumed, size_t length) const;
  Candidate find_longest() const;
  Candidate resume(const Candidate& broken, int32_t id) const;
  double cost(size_t rows) const;

  size_t most_;
  std::vector<int32_t> past_;
  std::unordered_map<uint64_t, uint32_t> latest_;  // two tokens → the place behind where they last stood
  std::vector<uint32_t> earlier_;  // [place - 1] the place behind the same two tokens before; 0: nowhere
  Candidate candidate_;
  std::array<Record, kKinds> records_ = {};
  std::array<double, kCosts> costs_ = {};  // seconds; 0: not known
};

}  // namespace ink
