// Which tensor of a model gets which type when a file is quantized. The recipes have llama.cpp's names and
// about its sizes, but spend the bits where they matter more evenly: for the same number of bytes a tensor
// that is 5 bits wide in every layer loses half as much as one with 6 bits in one half of them and 4 in the
// other, since each bit quarters the squared error.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/config.h"
#include "tensor/dtype.h"

namespace ink {

struct Recipe {
  const char* name;    // "Q4_K_M"
  uint32_t file_type;  // general.file_type, in llama.cpp's numbering
  Dtype base;          // of every matrix that is not named below
  Dtype head;          // output.weight, or the embeddings where they serve as the head
  Dtype value;         // attn_v: the smallest matrix of a layer, and every token attends to its results
  Dtype attention;     // attn_q, attn_k, attn_output
  Dtype down;          // ffn_down
  Dtype chosen_down;   // ffn_down in chosen layers, see below
  // The ends are the first and the last eighth; half: those and every third layer; outer: all but the middle
  // quarter.
  enum class Chosen { kNone, kEnds, kHalf, kOuter } chosen;
};

std::vector<std::string> recipe_names();
// Upper and lower case are the same; Q4_K means Q4_K_M, Q5_K means Q5_K_M.
std::optional<Recipe> find_recipe(std::string_view name);

// What a person wants otherwise.
struct TypeWishes {
  bool pure = false;                                  // the base type for every matrix
  std::optional<Dtype> output;                        // of output.weight
  std::optional<Dtype> token_embedding;               // of token_embd.weight
  std::vector<std::pair<std::regex, Dtype>> by_name;  // the first that is found in a tensor's name counts
};

// Whether the tensor (under its GGUF name) is one to quantize: a matrix, and not a router. Norms, biases and
// routers stay F32.
bool is_quantized_tensor(std::string_view name, const std::vector<int64_t>& shape);

// The type of a tensor to quantize. A type whose blocks do not divide the row gives way to the next wider one
// with blocks of 32, as elsewhere in the ecosystem (Q4_K to Q5_0, Q5_K to Q5_1, Q6_K to Q8_0, IQ4_XS to
// IQ4_NL), and to F16 where even those do not fit.
Dtype recipe_type(const Recipe& recipe, const TypeWishes& wishes, const ModelConfig& config,
                  const std::string& name, const std::vector<int64_t>& shape);

}  // namespace ink
