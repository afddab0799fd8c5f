// The mean over scored tokens behind a perplexity, with the error estimate that llama.cpp prints.
#pragma once

#include <cstdint>

namespace ink::cli {

class Perplexity {
 public:
  void add(double loss);  // -ln of the probability that the model gave to the token that came
  double value() const;   // exp of the mean loss
  double error() const;   // one standard error, carried over to the perplexity
  int64_t count() const { return count_; }

 private:
  double sum_ = 0;
  double sum_of_squares_ = 0;
  int64_t count_ = 0;
};

}  // namespace ink::cli
