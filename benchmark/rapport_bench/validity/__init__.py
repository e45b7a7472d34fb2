"""Do the metrics agree with labels? What `rapport validate` computes, on anybody's labelled data.

Every figure stands beside those of baselines that understand nothing, on the same resamples.
"""
