// JSON Schema to grammar rules. What is enforced, whatever else stands beside it:
//
//   any       type (one or a list), enum, const, anyOf, oneOf, allOf, $ref within the schema (also
//   recursive),
//             $defs and definitions; true, false and {} are schemas
//   object    properties (written in their order, each at most once), required, additionalProperties (false,
//             true or a schema), minProperties, maxProperties
//   array     items, prefixItems (or, as before 2020, a list of items with additionalItems), minItems,
//   maxItems;
//             uniqueItems only where there is at most one
//   string    minLength and maxLength (characters), pattern (runtime/grammar_pattern_read.h), format
//             (runtime/grammar_formats.h), or "copied": true (our own word: a piece of the user's request,
//             runtime/constraint_request.h)
//   number    minimum, maximum, exclusiveMinimum, exclusiveMaximum; integers without limits have at most 15
//             digits; multipleOf a small integer
//   boolean    null
//
// Annotations (title, description, default, examples, x-…, …) are read past. Every other keyword is refused,
// never ignored: what is generated always fits the schema. Less may be written than a schema allows:
//   - where additionalProperties is not said, no keys but those in properties are written; an object without
//     properties takes any. (Where it is said, further keys come last, and one may come twice.)
//   - each number and string has one spelling (no exponents, no \u); $ref beside other keywords joins them,
//   as
//     since 2019, which is the stricter reading of the two.
//   - oneOf is built where it is plain that what one alternative writes fits no other: by types, ranges,
//   values,
//     or by a required property that tells them apart. Else it is refused.
//   - values of enum and const are taken literally and have to be checked against what else is said: beside
//     pattern, format, or keywords of objects and arrays for values that are such, they are refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "runtime/grammar.h"
#include "runtime/grammar_shape.h"

namespace ink {

enum class JsonLayout {
  kPython,  // ", " and ": " as json.dumps writes: what the models were trained to write in calls
  kLoose,   // also compact, and one value a line
};

class SchemaCompiler {
 public:
  static constexpr int kMaxDepth = 32;              // schemas in each other
  static constexpr size_t kMaxProperties = 256;     // of one object
  static constexpr size_t kMaxAlternatives = 4096;  // of one value, when all choices are multiplied
  static constexpr uint32_t kMaxFrames = 120;       // what is deeper could not be read: kMaxJsonDepth

  explicit SchemaCompiler(GrammarBuilder& builder, JsonLayout layout = JsonLayout::kPython)
      : characters_(builder), builder_(builder), layout_(layout) {}

  // A rule for the values that fit. Errors: kUnsupported, kInvalid, kTooLarge with the place in the schema. A
  // schema that nothing fits makes a rule that cannot be walked. The schema has to outlive the compiler.
  Result<uint32_t> compile(const Json& schema, const std::string& where);

  // For formats that write the members of an object in another way: what the schema's objects may be (one
  // shape for each alternative), and what their properties may be.
  Result<std::vector<Shape>> compile_shapes(const Json& schema, const std::string& where);
  Result<std::vector<Shape>> shapes_of(const Conjunction& all);
  Result<uint32_t> compile_value(const Conjunction& all);
  // The text of a string of this shape, in a spelling, then next.
  Result<uint32_t> add_string(const Shape& shape, Spelling spelling, uint32_t next);
  // The values of an enum or const that fit the rest of the shape.
  Result<std::vector<Json>> listed_values(const Shape& shape);

 private:
  struct ObjectParts;
  Status expand(const Shape& shape, std::vector<Shape>& leaves, int depth);
  Status expand_choice(const Shape& shape, std::vector<Shape>& leaves, int depth);
  Result<uint32_t> build(const Conjunction& all);
  Result<uint32_t> build_choice(const Shape::Choice& choice);
  Result<uint32_t> build_leaf(const Shape& shape);
  Result<uint32_t> build_numbers(const Shape& shape);
  Result<uint32_t> build_array(const Shape& shape);
  Result<uint32_t> build_object(const Shape& shape);
  Result<ObjectParts> read_object(const Shape& shape);
  uint32_t build_members(const ObjectParts& parts, uint32_t close);
  uint32_t other_key(const std::vector<std::u32string>& names, size_t at, uint32_t next);
  // Whether something that is written for `made` could fit `other`; true when it is not plain.
  Result<bool> may_fit(const Shape& made, const Shape& other, int depth);
  Result<bool> objects_may_fit(const Shape& made, const Shape& other, int depth);
  Status check_apart(const std::vector<std::vector<Shape>>& alternatives, const std::string& where);

  uint32_t gap(uint32_t next);
  uint32_t comma(uint32_t next);
  uint32_t colon(uint32_t next);

  CharacterRules characters_;
  GrammarBuilder& builder_;
  JsonLayout layout_;
  std::unique_ptr<ShapeReader> reader_;
  std::map<std::string, uint32_t> rules_;  // by the schemas that are joined
  std::set<std::string> at_this_value_;    // rules that are being made and have not written a byte yet
  std::string where_;                      // of the schema as a whole
  int depth_ = 0;
  size_t leaves_ = 0;  // that were made, in all
};

}  // namespace ink
