// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * As much JSON as the few messages of a guard need. The driver's class path is its user's: a
 * library of ours could be another version of theirs.
 */
final class Json {
    /** Messages are flat; what is deeper is somebody's attempt at our stack. */
    private static final int DEEPEST = 16;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** One object, and nothing after it. Numbers become Long where they are integers. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) throws MalformedMessage {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.space();
        if (reader.at < text.length() || !(value instanceof Map)) {
            throw new MalformedMessage("a message is one JSON object");
        }
        return (Map<String, Object>) value;
    }

    /** An array of strings with at least one in it, and nothing after it. */
    static String[] words(String text) throws MalformedMessage {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.space();
        if (reader.at < text.length() || !(value instanceof List) || ((List<?>) value).isEmpty()) {
            throw new MalformedMessage("no JSON array with a main class in it");
        }
        List<?> items = (List<?>) value;
        String[] words = new String[items.size()];
        for (int i = 0; i < words.length; ++i) {
            if (!(items.get(i) instanceof String)) {
                throw new MalformedMessage("a JSON array with something else than strings in it");
            }
            words[i] = (String) items.get(i);
        }
        return words;
    }

    static String quoted(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); ++i) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    private Object value(int depth) throws MalformedMessage {
        if (depth > DEEPEST) {
            throw wrong("nested too deeply");
        }
        space();
        switch (peek()) {
            case '{':
                return members(depth);
            case '[':
                return items(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> members(int depth) throws MalformedMessage {
        Map<String, Object> found = new LinkedHashMap<>();
        ++at;
        if (next('}')) {
            return found;
        }
        do {
            space();
            String name = string();
            if (!next(':')) {
                throw wrong("':' expected");
            }
            if (found.containsKey(name)) {
                throw wrong("a field that is there twice");
            }
            found.put(name, value(depth + 1));
        } while (next(','));
        if (!next('}')) {
            throw wrong("'}' expected");
        }
        return found;
    }

    private List<Object> items(int depth) throws MalformedMessage {
        List<Object> found = new ArrayList<>();
        ++at;
        if (next(']')) {
            return found;
        }
        do {
            found.add(value(depth + 1));
        } while (next(','));
        if (!next(']')) {
            throw wrong("']' expected");
        }
        return found;
    }

    private String string() throws MalformedMessage {
        if (peek() != '"') {
            throw wrong("a string expected");
        }
        int begin = ++at;
        int end = text.indexOf('"', begin);
        // a file's content has no escapes and is long: it is taken as a whole
        int escape = end < 0 ? -1 : text.substring(begin, end).indexOf('\\');
        if (end >= 0 && escape < 0) {
            at = end + 1;
            return checked(text.substring(begin, end));
        }
        StringBuilder out = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            out.append(c == '\\' ? escaped() : c);
            if (c < ' ') {
                throw wrong("a control character in a string");
            }
        }
        ++at;
        return out.toString();
    }

    private String checked(String plain) throws MalformedMessage {
        for (int i = 0; i < plain.length(); ++i) {
            if (plain.charAt(i) < ' ') {
                throw wrong("a control character in a string");
            }
        }
        return plain;
    }

    private char escaped() throws MalformedMessage {
        char c = peek();
        ++at;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return unit();
            default:
                throw wrong("an escape that JSON does not have");
        }
    }

    private char unit() throws MalformedMessage {
        int code = 0;
        for (int i = 0; i < 4; ++i) {
            char c = peek();
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("four hexadecimal digits expected");
            }
            code = code * 16 + digit;
            ++at;
        }
        return (char) code;
    }

    private Object number() throws MalformedMessage {
        int begin = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            ++at;
        }
        String word = text.substring(begin, at);
        if (!word.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
            throw wrong("a value expected");
        }
        if (word.matches("-?[0-9]{1,18}")) {
            return Long.valueOf(word);
        }
        return Double.valueOf(word);
    }

    private Object word(String word, Object meaning) throws MalformedMessage {
        if (!text.startsWith(word, at)) {
            throw wrong("a value expected");
        }
        at += word.length();
        return meaning;
    }

    private boolean next(char wanted) throws MalformedMessage {
        space();
        if (peek() != wanted) {
            return false;
        }
        ++at;
        return true;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            ++at;
        }
    }

    private char peek() throws MalformedMessage {
        if (at >= text.length()) {
            throw wrong("it ends too early");
        }
        return text.charAt(at);
    }

    private MalformedMessage wrong(String what) {
        return new MalformedMessage("no JSON: " + what + " (at character " + at + ")");
    }
}
