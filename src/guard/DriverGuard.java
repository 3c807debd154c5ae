// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * The main class of a driver that a cluster may have started twice: asks the host whether it is the
 * one that may run, then calls the user's main. See docs/agent_protocol.md, "Guards".
 *
 * <p>User code must not notice: no other class path, no output, no other exit code, no thread that
 * keeps the process alive.
 */
public final class DriverGuard {
    private static final int BAD_SETTINGS = 10;
    private static final int NOT_GRANTED = 11;

    /** The only argument where the others come with the grant: no command line shows them. */
    private static final String GRANTED = "@granted";

    private static final String GRANTED_WORDS = "arguments.json";

    private DriverGuard() {}

    /**
     * Arguments: the user's main class, and what that gets; or GRANTED, and a granted file says
     * both. Settings: the environment.
     */
    public static void main(String[] arguments) throws Throwable {
        Link link = claimed(arguments);
        SparkLook look = new SparkLook(link);
        try {
            Link.start("sparkhost-guard-look", look);
            String[] words = words(arguments, link);
            MethodHandle main = main(words[0]);
            // not Method.invoke: what main throws comes out as it is, with no frames in between
            main.invokeExact(Arrays.copyOfRange(words, 1, words.length));
        } catch (Throwable thrown) {
            report(link, look, thrown);
            throw thrown;
        }
        look.last();
        link.ended("");
    }

    static void say(String words) {
        System.err.println("sparkhost guard: " + words);
    }

    private static Link claimed(String[] arguments) throws InterruptedException {
        try {
            if (arguments.length == 0) {
                throw new IllegalArgumentException("the first argument is the driver's main class");
            }
            Link link = new Link(new Settings(System.getenv()));
            link.claim();
            return link;
        } catch (IllegalArgumentException wrong) {
            say(wrong.getMessage());
            throw exit(BAD_SETTINGS);
        } catch (NotGranted | IOException refused) {
            say(refused.getMessage());
            throw exit(NOT_GRANTED);
        }
    }

    private static AssertionError exit(int code) {
        System.exit(code);
        return new AssertionError("exit returns");
    }

    /** The main class and its arguments, with the granted files' paths for their names. */
    private static String[] words(String[] arguments, Link link) throws IOException {
        Map<String, byte[]> granted = link.takeFiles();
        String[] words = arguments;
        if (arguments.length == 1 && arguments[0].equals(GRANTED)) {
            words = grantedWords(granted.remove(GRANTED_WORDS), link);
        }
        GrantedFiles files = new GrantedFiles(granted, link.folder());
        String[] resolved = words.clone();
        for (int i = 1; i < words.length; ++i) {
            resolved[i] = files.resolved(words[i]);
        }
        return resolved;
    }

    private static String[] grantedWords(byte[] content, Link link) {
        try {
            if (content == null) {
                throw new MalformedMessage("a grant without " + GRANTED_WORDS);
            }
            return Json.words(StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(content)).toString());
        } catch (MalformedMessage | CharacterCodingException wrong) {
            String why = GRANTED_WORDS + " cannot be used: "
                    + (wrong instanceof MalformedMessage ? wrong.getMessage() : "no UTF-8");
            say(why);
            link.ended(why);
            throw exit(BAD_SETTINGS);
        }
    }

    /** As the worker finds it when there is no guard: by the thread's own loader. */
    private static MethodHandle main(String name) throws ReflectiveOperationException {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        // not initialised here, so that an error of that is main's, too
        Method main = Class.forName(name, false, loader).getMethod("main", String[].class);
        if (!Modifier.isStatic(main.getModifiers()) || main.getReturnType() != void.class) {
            throw new NoSuchMethodException(name + ".main is not static, or returns something");
        }
        main.setAccessible(true);  // its class need not be public for java either
        return MethodHandles.lookup().unreflect(main);
    }

    private static void report(Link link, SparkLook look, Throwable thrown) {
        try {
            look.last();
            link.ended(words(thrown));
        } catch (Throwable another) {
            // memory is short, or the like: what main has thrown counts
        }
    }

    private static String words(Throwable thrown) {
        try {
            return String.valueOf(thrown);
        } catch (Throwable another) {
            return thrown.getClass().getName();  // its own getMessage fails
        }
    }
}
