// JSON Schema to grammar rules. What is enforced:
//
//   object    properties (in their order, each at most once), required, additionalProperties: false
//   array     items, minItems, maxItems
//   string    minLength and maxLength (characters), or pattern (runtime/grammar_pattern.h), or
//             "copied": true (our own word: a piece of the user's request, runtime/constraint_request.h)
//   integer   minimum, maximum; without them at most 15 digits
//   number    boolean    null
//   enum, const             of any values, also beside a type
//   anyOf, oneOf            oneOf only where it is plain that no value fits two alternatives
//
// title, description, default, examples, $comment, deprecated, readOnly, writeOnly are read past. Every other
// keyword is refused, never ignored: what is generated always fits the schema.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "runtime/grammar.h"

namespace ink {

class SchemaCompiler {
 public:
  static constexpr int kMaxDepth = 32;              // schemas in each other
  static constexpr size_t kMaxProperties = 256;     // of one object
  static constexpr size_t kMaxAlternatives = 4096;  // values of an enum, schemas of an anyOf

  explicit SchemaCompiler(GrammarBuilder& builder) : builder_(builder) {}

  // A rule for the values that fit. Errors: kUnsupported, kInvalid, kTooLarge with the place in the schema.
  Result<uint32_t> compile(const Json& schema, const std::string& where);

 private:
  Result<uint32_t> compile_value(const Json& schema, const std::string& where);
  Result<uint32_t> compile_type(const Json& schema, const std::string& type, const std::string& where);
  Result<uint32_t> compile_object(const Json& schema, const std::string& where);
  Result<uint32_t> compile_array(const Json& schema, const std::string& where);
  Result<uint32_t> compile_string(const Json& schema, const std::string& where);
  Result<uint32_t> compile_integer(const Json& schema, const std::string& where);
  Result<uint32_t> compile_values(const Json& schema, const std::string& where);
  Result<uint32_t> compile_alternatives(const Json& schema, const std::string& keyword,
                                        const std::string& where);
  uint32_t string_character();

  GrammarBuilder& builder_;
  int depth_ = 0;
  bool has_string_character_ = false;
  uint32_t string_character_ = 0;
};

}  // namespace ink
