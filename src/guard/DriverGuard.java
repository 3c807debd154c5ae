// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;

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

    private DriverGuard() {}

    /** Arguments: the user's main class, and what that gets. Settings: the environment. */
    public static void main(String[] arguments) throws Throwable {
        Link link = claimed(arguments);
        try {
            String[] words = words(arguments, link);
            Link.start("sparkhost-guard-look", new SparkLook(link));
            MethodHandle main = main(arguments[0]);
            // not Method.invoke: what main throws comes out as it is, with no frames in between
            main.invokeExact(words);
        } catch (Throwable thrown) {
            report(link, thrown);
            throw thrown;
        }
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

    private static String[] words(String[] arguments, Link link) throws IOException {
        GrantedFiles files = new GrantedFiles(link.takeFiles(), link.folder());
        String[] words = Arrays.copyOfRange(arguments, 1, arguments.length);
        Arrays.setAll(words, i -> files.resolved(words[i]));
        return words;
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

    private static void report(Link link, Throwable thrown) {
        try {
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
