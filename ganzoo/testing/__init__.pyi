from .dataset import check_dataset as check_dataset
from .extractor import check_extractor as check_extractor
from .gan import check_gan as check_gan
from .loss import check_loss_scheme as check_loss_scheme
from .metric import check_metric as check_metric
