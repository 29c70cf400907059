"""How fast a GAN trains, makes images, and is saved and taken up again: the suite of `ganzoo bench`.

    setting   what a session runs on, and the trainings that it makes ready
    measure   the clock, rounds, and what a number needs beside it
    duel      two ways to do the same work, in turn
    fixtures  the plugin of pytest by which tests measure: options, device, what goes into results
    suite     what is measured of every GAN
    session   runs the suite, and nothing of the user's, under pytest
    results   files of results, read
    tables    what they say, for terminals and for READMEs

Only `ganzoo bench` itself needs the extra `bench`. Reference loops and goals are no part of it: they lie in the
repository's `benchmarks/`, which measures with these modules, too.
"""
