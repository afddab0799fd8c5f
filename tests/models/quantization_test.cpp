// What config.json may say about quantization: every method in the words of its makers, and what is refused
// by name.
#include "models/quantization.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

using Method = Quantization::Method;

Result<Quantization> read(const std::string& text) {
  const auto config = parse_json(text, "config.json");
  EXPECT_TRUE(config.ok()) << config.error().message();
  return read_quantization(*config, "config.json");
}

TEST(Quantization, AMethodIsReadInTheWordsOfItsMakers) {
  struct Case {
    const char* config;
    Method method;
    const char* text;
  };
  const Case cases[] = {
      {R"({})", Method::kNone, ""},
      {R"({"quantization_config": null})", Method::kNone, ""},
      {R"({"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "damp_percent": 0.01,
          "desc_act": false, "static_groups": false, "sym": true, "true_sequential": true}})",
       Method::kGptq, "GPTQ, 4 bits in groups of 128"},
      {R"({"quantization_config": {"quant_method": "gptq", "bits": 8, "group_size": -1, "desc_act": true,
          "checkpoint_format": "gptq_v2", "pack_dtype": "int32",
          "dynamic": {"+:.*down": {"bits": 4, "group_size": 32}, "-:.*up": {}}}})",
       Method::kGptq, "GPTQ, 8 bits with a scale per row, 4 bits in groups of 32, act order"},
      {R"({"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "GEMM",
          "zero_point": true, "modules_to_not_convert": null}})",
       Method::kAwq, "AWQ, 4 bits in groups of 128"},
      {R"({"quantization_config": {"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": true,
          "data_type": "int", "packing_format": "auto_round:auto_gptq",
          "extra_config": {"lm_head": {"bits": 16}, "model.layers.0.mlp.down_proj": {"bits": 8}}}})",
       Method::kGptq, "AutoRound (GPTQ), 4 bits in groups of 128, 8 bits in groups of 128"},
      {R"({"quantization_config": {"quant_method": "intel/auto-round", "bits": 4, "group_size": 32,
          "packing_format": "auto_round:auto_awq"}})",
       Method::kAwq, "AutoRound (AWQ), 4 bits in groups of 32"},
      {R"({"quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
          "weight_block_size": [128, 128]}})",
       Method::kFp8, "FP8, e4m3 in blocks of 128x128"},
      {R"({"quantization_config": {"quant_method": "fp8", "activation_scheme": "static"}})", Method::kFp8,
       "FP8, e4m3 with one scale"},
      {R"({"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
          "quantization_status": "compressed", "kv_cache_scheme": null, "sparsity_config": {}, "ignore": ["lm_head"],
          "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": null,
            "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": false}}}}})",
       Method::kCompressedTensors, "compressed-tensors, 4 bits in groups of 128"},
      {R"({"quantization_config": {"quant_method": "compressed-tensors", "format": "mixed-precision",
          "config_groups": {
            "a": {"weights": {"num_bits": 8, "type": "int", "strategy": "channel", "group_size": null}},
            "b": {"weights": {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 64]}},
            "c": {"weights": {"num_bits": 8, "type": "float", "strategy": "tensor"}}}}})",
       Method::kCompressedTensors,
       "compressed-tensors, 8 bits with a scale per row, e4m3 in blocks of 128x64, e4m3 with one scale"},
      {R"({"quantization": {"group_size": 64, "bits": 4, "mode": "affine",
            "model.embed_tokens": {"group_size": 64, "bits": 6}, "lm_head": false},
          "quantization_config": {"group_size": 64, "bits": 4}})",
       Method::kMlx, "MLX, 4 bits in groups of 64"},
      {R"({"quantization": {"group_size": 64, "bits": 4, "model.embed_tokens": {"group_size": 32, "bits": 6}}})",
       Method::kMlx, "MLX, 4 bits in groups of 64, 6 bits in groups of 32"},
  };
  for (const Case& c : cases) {
    const auto quantization = read(c.config);
    ASSERT_TRUE(quantization.ok()) << c.config << quantization.error().message();
    EXPECT_EQ(quantization->method, c.method) << c.config;
    EXPECT_EQ(quantization->text, c.text) << c.config;
  }
}

TEST(Quantization, ZeroPointsLessOneFollowFromTheFormat) {
  const auto less_one = [](const std::string& more) {
    return read(R"({"quantization_config": {"bits": 4, "group_size": 128, )" + more + "}}")->zeros_less_one;
  };
  EXPECT_TRUE(less_one(R"("quant_method": "gptq")"));
  EXPECT_TRUE(less_one(R"("quant_method": "gptq", "checkpoint_format": "gptq")"));
  EXPECT_FALSE(less_one(R"("quant_method": "gptq", "checkpoint_format": "gptq_v2")"));
  EXPECT_TRUE(less_one(R"("quant_method": "auto-round", "packing_format": "auto_round:auto_gptq")"));
  EXPECT_FALSE(less_one(R"("quant_method": "auto-round", "packing_format": "auto_round:gptqmodel")"));
  EXPECT_FALSE(less_one(R"("quant_method": "auto-round", "packing_format": "auto_round")"));
}

TEST(Quantization, WhatIsNotReadIsNamedWithWhatIs) {
  struct Case {
    const char* config;  // the object itself
    ErrorKind kind;
    const char* got;
    const char* wanted;
  };
  constexpr ErrorKind kUnsupported = ErrorKind::kUnsupported;
  constexpr ErrorKind kInvalid = ErrorKind::kInvalid;
  const Case cases[] = {
      {R"({"quant_method": "bitsandbytes", "bits": 4})", kUnsupported, "bitsandbytes", "gptq, awq"},
      {R"({})", kUnsupported, "none named", "gptq, awq"},
      {R"(7)", kInvalid, "something else", "an object"},
      {R"({"quant_method": "gptq", "bits": 3, "group_size": 128})", kUnsupported, "got 3", "2, 4 or 8"},
      {R"({"quant_method": "gptq", "bits": "4", "group_size": 128})", kInvalid, "bits is not an integer", ""},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 0})", kInvalid, "got 0", "-1 (a whole row) or 1"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 9223372036854775807})", kInvalid, "group_size",
       "-1"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 64, "checkpoint_format": "marlin"})",
       kUnsupported, "marlin", "gptq or gptq_v2"},
      {R"({"quant_method": "awq", "bits": 4, "group_size": 64, "version": "gemv"})", kUnsupported, "gemv",
       "gemm"},
      {R"({"quant_method": "awq", "bits": 8, "group_size": 64})", kUnsupported, "got 8", "4"},
      {R"({"quant_method": "auto-round", "bits": 4, "group_size": 32, "data_type": "mx_fp"})", kUnsupported,
       "mx_fp", "int"},
      {R"({"quant_method": "fp8", "fmt": "e5m2"})", kUnsupported, "e5m2", "e4m3"},
      {R"({"quant_method": "fp8", "weight_block_size": [128, 0]})", kInvalid, "[128,0]", "two sizes"},
      {R"({"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"})", kUnsupported,
       "nvfp4-pack-quantized", "pack-quantized or int-quantized"},
      {R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "frozen"})",
       kUnsupported, "frozen", "compressed"},
      {R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"a": {"weights":
          {"num_bits": 3, "type": "int", "strategy": "channel"}}}})",
       kUnsupported, "int of 3 bits", "int of 4 or 8 bits"},
      {R"({"bits": 7, "group_size": 64})", kUnsupported, "got 7", "2, 3, 4, 5, 6 or 8"},
      {R"({"bits": 4, "group_size": 32, "mode": "mxfp4"})", kUnsupported, "mxfp4", "affine"},
      {R"({"bits": 4, "group_size": 32, "x\u001b[31m": {"bits": 4, "mode": "\u001b[2J"}})", kUnsupported,
       "\\x1b[2J", "affine"},
  };
  for (const Case& c : cases) {
    const auto quantization = read(std::string(R"({"quantization_config": )") + c.config + "}");
    ASSERT_FALSE(quantization.ok()) << c.config;
    EXPECT_EQ(quantization.error().kind, c.kind) << c.config;
    const std::string message = quantization.error().message();
    EXPECT_NE(message.find(c.got), std::string::npos) << message;
    EXPECT_NE(message.find(c.wanted), std::string::npos) << message;
    EXPECT_EQ(message.find('\x1b'), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace ink
