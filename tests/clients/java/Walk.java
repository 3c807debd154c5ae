// SPDX-License-Identifier: Apache-2.0

import org.apache.livy.JobHandle;
import org.apache.livy.LivyClient;
import org.apache.livy.LivyClientBuilder;

import java.io.File;
import java.io.FileInputStream;
import java.net.URI;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import jobs.Jobs;

/** Livy's own client at work: Walk URL JAR FILE OTHER-FILE FIFO. Says what it has seen, a line each. */
public final class Walk {
    private static final long DEADLINE = 90;

    private static void say(String what, Object value) {
        System.out.println(what + "=" + value);
    }

    private static void state(JobHandle<?> handle, JobHandle.State wanted) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE);
        while (handle.getState() != wanted && System.nanoTime() < end) {
            Thread.sleep(20);  // the client itself polls, and has no other way to tell
        }
        say("state", handle.getState());
    }

    private static void jobs(LivyClient client, String fifo) throws Exception {
        say("squares", client.submit(new Jobs.Squares(10)).get(DEADLINE, TimeUnit.SECONDS));
        say("run", client.run(new Jobs.Query()).get(DEADLINE, TimeUnit.SECONDS));
        say("first", client.submit(new Jobs.Counting()).get(DEADLINE, TimeUnit.SECONDS));
        say("second", client.submit(new Jobs.Counting()).get(DEADLINE, TimeUnit.SECONDS));
        JobHandle<String> failing = client.submit(new Jobs.Failing("as it was told"));
        try {
            failing.get(DEADLINE, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            say("failed", failed.getCause().getMessage().contains("as it was told"));
        }
        state(failing, JobHandle.State.FAILED);
        JobHandle<Long> endless = client.submit(new Jobs.Endless(fifo));
        try (FileInputStream begun = new FileInputStream(fifo)) {
            begun.read();
        }
        say("cancelled", endless.cancel(true));
        try {
            endless.get(DEADLINE, TimeUnit.SECONDS);
        } catch (CancellationException cancelled) {
            say("cancellation", true);
        }
        state(endless, JobHandle.State.CANCELLED);
        say("after", client.submit(new Jobs.Squares(3)).get(DEADLINE, TimeUnit.SECONDS));
    }

    public static void main(String[] words) throws Exception {
        LivyClient client = new LivyClientBuilder(false).setURI(new URI(words[0]))
            .setConf("spark.ui.enabled", "false").setConf("spark.app.name", "walk").build();
        client.uploadJar(new File(words[1])).get(DEADLINE, TimeUnit.SECONDS);
        jobs(client, words[4]);
        client.uploadFile(new File(words[2])).get(DEADLINE, TimeUnit.SECONDS);
        say("uploaded", client.submit(new Jobs.Reading(new File(words[2]).getName()))
            .get(DEADLINE, TimeUnit.SECONDS));
        client.addFile(new File(words[3]).toURI()).get(DEADLINE, TimeUnit.SECONDS);
        say("added", client.submit(new Jobs.Reading(new File(words[3]).getName()))
            .get(DEADLINE, TimeUnit.SECONDS));
        client.addJar(new File(words[1]).toURI()).get(DEADLINE, TimeUnit.SECONDS);
        client.stop(true);
        say("stopped", true);
    }
}
