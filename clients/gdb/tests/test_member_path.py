"""Which expressions does the hook read, and which would it leave to nobody?"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from dbgmate_gdb.member_path import NotAPath, parse


class MemberPath(unittest.TestCase):
    def test_steps_are_taken_in_the_order_of_c(self):
        ev = ("cast", ["libxl__ev_fd"], 1, ("name", "for_libxl"))
        for text, path in [
            ("fd", ("name", "fd")),
            ("((libxl__ev_fd*)for_libxl)->fd", ("member", ("target", ev), "fd")),
            ("( ( libxl__ev_fd * ) for_libxl ) -> fd", ("member", ("target", ev), "fd")),
            ("*(libxl__ev_fd*)for_libxl", ("target", ev)),
            ("&a.b", ("address", ("member", ("name", "a"), "b"))),
            ("a.b[3].c", ("member", ("element", ("member", ("name", "a"), "b"), 3), "c")),
            ("*a[0]", ("target", ("element", ("name", "a"), 0))),
            ("(struct s **)x", ("cast", ["struct", "s"], 2, ("name", "x"))),
            ("(unsigned int)x", ("cast", ["unsigned", "int"], 0, ("name", "x"))),
            ("(x)", ("name", "x")),
        ]:
            with self.subTest(text):
                self.assertEqual(parse(text), path)

    def test_whatever_could_run_or_change_something_is_refused(self):
        for text in [
            "", "f(x)", "(f)(x)", "(f)*x", "(f)&x", "a = 1", "a == 1", "a + 1", "a++", "--a", "$pc",
            "a[i]", "a[-1]", "a, b", "sizeof(x)", "sizeof x", "a->", "a.", "(a", "a && b", "&&label",
            "!a", "a ? b : c", '"text"', "x@4", "f::x", "a;b", "(T*)", "a\n(b)", "a[1", "1", "*",
            "((int(*)())system)(1)", "((T*)f)(x)", 'system ("x")', "a'", "(T*)x)", "é", "a[٣]",
        ]:  # fmt: skip
            with self.subTest(text), self.assertRaises(NotAPath):
                parse(text)

    def test_deep_nesting_is_refused_not_followed(self):
        for text in ["*" * 100_000 + "a", "(" * 100_000, "a" + ".a" * 100_000, "(T*)" * 100_000 + "a"]:
            with self.assertRaises(NotAPath):
                parse(text)
        parse("*" * 60 + "a")


if __name__ == "__main__":
    unittest.main()
